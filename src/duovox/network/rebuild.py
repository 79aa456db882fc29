"""The network of a checkpoint, whatever format it came in."""

from __future__ import annotations

from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.head.ctc import CtcHead
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format.checkpoint import HEAD, Checkpoint, make_pretraining_network
from duovox.network.wav2vec2.pretraining import PretrainingNetwork


def rebuild(checkpoint: Checkpoint) -> SpeechSpeakerNetwork | PretrainingNetwork | Wav2Vec2Backbone:
    """Return a speech recogniser, a pre-training network or a backbone, in evaluation mode."""
    backbone = Wav2Vec2Backbone(checkpoint.architecture)
    if checkpoint.quantization is None and not checkpoint.has_head:
        backbone.load_state_dict(checkpoint.backbone_state())
        return backbone.eval()
    network: SpeechSpeakerNetwork | PretrainingNetwork
    if checkpoint.quantization is not None:
        network = make_pretraining_network(backbone, checkpoint.quantization)
    else:
        vocabulary_size, width = checkpoint.state[f"{HEAD}.weight"].shape
        network = SpeechSpeakerNetwork(backbone, speech_head=CtcHead(width, vocabulary_size))
    network.load_state_dict(checkpoint.state)
    return network.eval()
