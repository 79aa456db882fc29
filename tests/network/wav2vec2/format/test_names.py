"""Tables of names are read in both directions without losing a bit."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format import huggingface
from duovox.network.wav2vec2.format.names import WEIGHT_NORM, names_of, respell, to_ours, to_theirs
from duovox.network.wav2vec2.pretraining import PretrainingNetwork
from duovox.network.wav2vec2.quantizer import ProductQuantizer

TABLES = {"huggingface": huggingface.TABLE}


@pytest.fixture
def state(architecture: Architecture) -> dict[str, Tensor]:
    """Return the weights of a pre-training network and of a CTC head, none of them equal."""
    network = PretrainingNetwork(
        Wav2Vec2Backbone(architecture),
        ProductQuantizer(16, num_codebooks=2, num_entries=5, out_dim=6),
        similarity_dim=8,
    )
    state = network.state_dict() | {"speech_head.linear.weight": torch.empty(7, 32)}
    return {key: torch.randn_like(tensor) for key, tensor in state.items()}


@pytest.mark.parametrize("table", TABLES)
def test_every_tensor_has_names_of_its_own(state: dict[str, Tensor], table: str) -> None:
    names = [name for key in state for name in names_of(key, TABLES[table])]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("table", TABLES)
def test_there_and_back_every_bit_is_the_same(state: dict[str, Tensor], table: str) -> None:
    back = to_ours(to_theirs(state, TABLES[table]), state, TABLES[table])
    assert (back.missing, back.unexpected, back.misshapen) == ([], [], [])
    assert all(torch.equal(back.state[key], tensor) for key, tensor in state.items())


def test_query_key_and_value_are_joined_in_this_order() -> None:
    table = tuple((part, part[0]) for part in ("query", "key", "value"))
    parts = {"q.bias": torch.zeros(2), "k.bias": torch.ones(2), "v.bias": 2 * torch.ones(2)}
    own = {"query_key_value.bias": torch.empty(6)}
    state = to_ours(parts, own, table).state
    assert state["query_key_value.bias"].tolist() == [0, 0, 1, 1, 2, 2]
    assert all(torch.equal(tensor, parts[n]) for n, tensor in to_theirs(state, table).items())


def test_a_tensor_of_another_shape_is_told_with_both_shapes() -> None:
    found = to_ours({"b.bias": torch.empty(3)}, {"a.bias": torch.empty(4)}, (("a", "b"),))
    assert found.misshapen == ["b.bias is (3,), the network wants (4,)"]


def test_a_part_is_not_taken_for_another_that_begins_like_it() -> None:
    table = (("layers.*.norm", "n.*"), ("layers.*.norm_before", "m.*"))
    assert names_of("layers.12.norm_before.bias", table) == ["m.12.bias"]


def test_both_spellings_of_the_weight_norm_are_known() -> None:
    old = {"conv.weight_g": torch.ones(1), "conv.weight_v": torch.zeros(1)}
    new = respell(old, WEIGHT_NORM)
    assert list(new) == [f"conv.parametrizations.weight.original{n}" for n in (0, 1)]
    assert respell(new, WEIGHT_NORM) == new
    backwards = tuple((old_name, new_name) for new_name, old_name in WEIGHT_NORM)
    assert respell(new, backwards) == old
