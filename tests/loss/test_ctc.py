"""CTC against a sum over all paths, and its behaviour on what cannot be aligned."""

from __future__ import annotations

import itertools

import pytest
import torch

from duovox.loss.ctc import CtcLoss, infeasible


def collapse(path: tuple[int, ...]) -> list[int]:
    return [symbol for symbol, _ in itertools.groupby(path) if symbol != 0]


def loss_by_summing_all_paths(logits: torch.Tensor, tokens: list[int]) -> torch.Tensor:
    probabilities = logits.softmax(dim=-1)
    num_frames, num_symbols = logits.shape
    paths = itertools.product(range(num_symbols), repeat=num_frames)
    likelihood = sum(
        torch.stack([probabilities[t, s] for t, s in enumerate(path)]).prod()
        for path in paths
        if collapse(path) == tokens
    )
    return -torch.log(torch.as_tensor(likelihood)) / max(len(tokens), 1)


@pytest.mark.parametrize("tokens", [[1], [1, 2], [1, 1], [2, 1, 2], []])
def test_loss_equals_the_sum_over_all_paths(tokens: list[int]) -> None:
    logits = torch.randn(1, 5, 3)
    padded = torch.tensor([[*tokens, 0]])
    loss = CtcLoss()(logits, torch.tensor([5]), padded, torch.tensor([len(tokens)]))
    torch.testing.assert_close(loss, loss_by_summing_all_paths(logits[0], tokens))


def test_padding_of_frames_and_tokens_changes_nothing() -> None:
    logits, num_frames = torch.randn(2, 9, 4), torch.tensor([9, 5])
    tokens, num_tokens = torch.tensor([[1, 2, 3], [3, 1, 0]]), torch.tensor([3, 2])
    clean = CtcLoss()(logits, num_frames, tokens, num_tokens)
    logits[1, 5:] = 50.0
    tokens[1, 2] = 2
    torch.testing.assert_close(CtcLoss()(logits, num_frames, tokens, num_tokens), clean)


def test_half_precision_logits_give_a_float32_loss() -> None:
    logits = torch.randn(1, 20, 5)
    arguments = (torch.tensor([20]), torch.tensor([[1, 2, 2]]), torch.tensor([3]))
    loss = CtcLoss()(logits.bfloat16(), *arguments)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, CtcLoss()(logits.bfloat16().float(), *arguments))


def test_an_infeasible_utterance_gives_no_loss_and_no_gradient_to_itself_only() -> None:
    logits = torch.randn(2, 4, 3, requires_grad=True)
    tokens, num_tokens = torch.tensor([[1, 1, 1], [1, 2, 0]]), torch.tensor([3, 2])
    loss = CtcLoss()(logits, torch.tensor([4, 4]), tokens, num_tokens)
    loss.backward()
    assert logits.grad is not None
    assert loss.isfinite()
    assert (logits.grad[0] == 0).all()
    assert (logits.grad[1] != 0).any()


def test_infeasible_agrees_with_an_infinite_torch_loss() -> None:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(1, 4, (400, 6), generator=generator)
    num_tokens = torch.randint(0, 7, (400,), generator=generator)
    num_frames = torch.randint(1, 10, (400,), generator=generator)
    losses = torch.nn.functional.ctc_loss(
        torch.randn(9, 400, 4).log_softmax(-1), tokens, num_frames, num_tokens, reduction="none"
    )
    expected = losses.isinf()
    assert 0 < expected.sum() < 400
    assert (infeasible(num_frames, tokens, num_tokens) == expected).all()


def test_a_batch_of_empty_transcripts_is_feasible() -> None:
    empty = torch.zeros(2, 0, dtype=torch.int64)
    assert not infeasible(torch.tensor([3, 1]), empty, torch.tensor([0, 0])).any()
