from __future__ import annotations

from pathlib import Path

import pytest
import torch

from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.rebuild import rebuild
from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format.checkpoint import Checkpoint
from duovox.network.wav2vec2.pretraining import PretrainingNetwork

GOLDEN = Path(__file__).parent / "wav2vec2" / "format" / "golden"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("fairseq_ctc.pt", SpeechSpeakerNetwork), ("fairseq_pretraining.pt", PretrainingNetwork)],
)
def test_a_network_has_the_weights_of_its_checkpoint(name: str, kind: type) -> None:
    checkpoint = pretrained.read(GOLDEN / name)
    network = rebuild(checkpoint)
    assert isinstance(network, kind)
    assert not network.training
    assert network.state_dict().keys() == checkpoint.state.keys()
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, checkpoint.state[key])


def test_without_heads_there_is_a_backbone() -> None:
    whole = pretrained.read(GOLDEN / "fairseq_ctc.pt")
    state = {key: one for key, one in whole.state.items() if key.startswith("backbone.")}
    alone = Checkpoint(architecture=whole.architecture, state=state, normalizes=False)
    assert isinstance(rebuild(alone), Wav2Vec2Backbone)
