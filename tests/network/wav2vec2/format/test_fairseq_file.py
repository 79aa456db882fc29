"""Checkpoint files of fairseq; those under golden/ were written by fairseq 0.12.2."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.format import fairseq_file
from duovox.network.wav2vec2.format.checkpoint import Checkpoint
from duovox.network.wav2vec2.format.vocabulary import LETTERS

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def outputs() -> dict[str, Tensor]:
    """Return a wave (1, 1600), and what fairseq's models of the golden files make of it."""
    found: dict[str, Tensor] = torch.load(GOLDEN / "fairseq_outputs.pt")
    return found


@torch.inference_mode()
def test_a_pre_trained_model_does_what_it_did_in_fairseq(outputs: dict[str, Tensor]) -> None:
    network = pretrained.load_pretraining(GOLDEN / "fairseq_pretraining.pt").eval()
    waves, num_samples = outputs["wave"], torch.tensor([1600])
    frames = network.backbone(waves, num_samples).frames
    torch.testing.assert_close(frames, outputs["frames"], atol=1e-5, rtol=1e-5)
    contexts = network.context_projection(frames)
    torch.testing.assert_close(contexts, outputs["contexts"], atol=1e-5, rtol=1e-5)
    mask = torch.ones(frames.shape[:2], dtype=torch.bool)
    targets = network(waves, num_samples, mask, num_masked=int(mask.sum())).targets
    torch.testing.assert_close(targets, outputs["targets"][0], atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_a_fine_tuned_model_does_what_it_did_in_fairseq(outputs: dict[str, Tensor]) -> None:
    path = GOLDEN / "fairseq_ctc.pt"
    frames = pretrained.load(path).eval()(outputs["wave"], torch.tensor([1600])).frames
    checkpoint = pretrained.read(path)
    head = (
        checkpoint.state["speech_head.linear.weight"],
        checkpoint.state["speech_head.linear.bias"],
    )
    logits = torch.nn.functional.linear(frames, *head)
    torch.testing.assert_close(logits, outputs["logits"], atol=1e-5, rtol=1e-5)
    assert checkpoint.vocabulary == LETTERS
    assert checkpoint.normalizes
    assert checkpoint.left_out == ()


@pytest.mark.parametrize("kind", ["pretraining", "ctc"])
def test_what_is_written_has_the_names_and_values_that_fairseq_gave(kind: str) -> None:
    path = GOLDEN / f"fairseq_{kind}.pt"
    expected = torch.load(path)["model"]
    found = fairseq_file.write(pretrained.read(path), data="/data")["model"]
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@pytest.mark.parametrize("kind", ["speech", "pretraining"])
def test_a_file_is_read_as_it_was_written(
    kind: str, make_checkpoint: Callable[[str], Checkpoint], assert_same: Any
) -> None:
    checkpoint = make_checkpoint(kind)
    content = fairseq_file.write(checkpoint, data="")
    assert_same(fairseq_file.read(content, source="a.pt"), checkpoint)


@pytest.mark.parametrize("kind", ["speech", "pretraining"])
def test_early_files_have_their_settings_side_by_side(
    kind: str, make_checkpoint: Callable[[str], Checkpoint], assert_same: Any
) -> None:
    checkpoint = make_checkpoint(kind)
    content = fairseq_file.write(checkpoint, data="")
    model = content["cfg"]["model"]
    inner = model.get("w2v_args", content["cfg"])["model"]
    flat: dict[str, Any] = {"arch": "wav2vec2", "normalize": checkpoint.normalizes}
    if kind == "speech":
        flat |= {"arch": "wav2vec_ctc", "w2v_args": Namespace(**inner)}
    else:
        flat |= inner
    early = {"args": Namespace(**flat), "model": content["model"]}
    assert_same(fairseq_file.read(early, source="a.pt"), checkpoint)


def test_the_new_spelling_of_the_weight_norm_is_read(
    make_checkpoint: Callable[[str], Checkpoint], assert_same: Any
) -> None:
    checkpoint = make_checkpoint("pretraining")
    content = fairseq_file.write(checkpoint, data="")
    for number, letter in enumerate("gv"):
        tensor = content["model"].pop(f"encoder.pos_conv.0.weight_{letter}")
        content["model"][f"encoder.pos_conv.0.parametrizations.weight.original{number}"] = tensor
    assert_same(fairseq_file.read(content, source="a.pt"), checkpoint)


def test_a_backbone_alone_is_read_but_not_written(
    make_checkpoint: Callable[[str], Checkpoint], assert_same: Any
) -> None:
    whole, backbone = make_checkpoint("pretraining"), make_checkpoint("backbone")
    content = fairseq_file.write(whole, data="")
    gone = ("quantizer", "project_q", "final_proj")
    content["model"] = {n: t for n, t in content["model"].items() if not n.startswith(gone)}
    state = {name: whole.state[name] for name in backbone.state}
    assert_same(fairseq_file.read(content, source="a.pt"), replace(backbone, state=state))
    with pytest.raises(ValueError, match="fairseq loads no backbone without"):
        fairseq_file.write(backbone, data="")


def test_a_file_without_settings_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a\.pt has neither cfg nor args"):
        fairseq_file.read({"model": {}}, source="a.pt")


def test_settings_that_are_not_supported_name_the_file() -> None:
    content = {"cfg": {"model": {"target_glu": True}, "task": {}}, "model": {}}
    with pytest.raises(ValueError, match=r"a\.pt: target_glu must be False for this backbone"):
        fairseq_file.read(content, source="a.pt")


def test_a_dictionary_leaves_fairseqs_own_symbols_out() -> None:
    assert fairseq_file.dictionary(LETTERS).splitlines()[:2] == ["| 1", "E 1"]
    with pytest.raises(ValueError, match=r"begins with four special symbols.*got <pad>, \|, A, B"):
        fairseq_file.dictionary(("<pad>", "|", "A", "B"))
