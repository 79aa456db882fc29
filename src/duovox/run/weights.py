"""The weights of a run, in and out: tensors and plain data, never anything executable."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import yaml
from torch import Tensor, nn

from duovox.data.atomic import write_whole
from duovox.data.frames import Frames
from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.rebuild import rebuild
from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.format import own, torch_file
from duovox.network.wav2vec2.format.own import checkpoint_of
from duovox.run.frames import frames_of
from duovox.run.network import build_network
from duovox.run.option import ARCHITECTURES, make
from duovox.run.read import read
from duovox.run.settings import Network, Option
from duovox.run.speaker_classes import has_classes, take_classes

CONFIG_FILE = "config.yaml"
LAST, PREVIOUS = "last.ckpt", "previous.ckpt"  # to go on from; the one before, while training
_TRAINING_STATE = {"loops", "optimizer_states", "lr_schedulers", "callbacks"}  # besides the weights


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a checkpoint needs to become a network again, besides the settings."""

    vocabulary: list[str] | None  # V symbols, the first is the CTC blank
    speakers: list[str] | None  # K training speakers in the order of their class ids
    architecture: Option  # of the backbone
    normalizes: dict[str, bool]  # by task: waves get zero mean and unit variance
    blank: int = 0
    decoder: Option | None = None  # from frames to text; None = greedy

    @property
    def frames(self) -> Frames:
        """What decides how many frames the network makes of a wave."""
        return frames_of(make(self.architecture, path="architecture", within=ARCHITECTURES))

    def write(self, folder: Path) -> None:
        """Write model.json."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        write_whole(folder / own.CARD, text + "\n")

    @classmethod
    def load(cls, folder: Path) -> ModelCard:
        """Read model.json."""
        path = folder / own.CARD
        if not path.is_file():
            raise ValueError(
                f"{folder} is no run folder: it has no {own.CARD}. Give the folder that a "
                "training run named on its first line"
            )
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is damaged, restore it: {error}") from error
        return read(cls, content, path=own.CARD)

    def check_continues(self, folder: Path) -> None:
        """Refuse a run folder whose checkpoints belong to another network than this card's.

        Raises:
            ValueError: the folder has a checkpoint, and its speakers, vocabulary or architecture
                are others; weights would fit no more, or stand for other classes.
        """
        if not any((folder / "checkpoints").glob("*.ckpt")) or not (folder / own.CARD).is_file():
            return
        earlier = ModelCard.load(folder)
        for name in ("speakers", "vocabulary", "architecture"):
            old, new = getattr(earlier, name), getattr(self, name)
            if _complete(old) != _complete(new):
                raise ValueError(
                    f"{folder} was trained with other {name} than these settings and data give: "
                    f"{_difference(old, new)}. Train anew with resume=false (the earlier run is "
                    "kept beside), or restore the data it was trained on"
                )


def _complete(value: Any) -> Any:
    """Return a value of a model card as JSON would; sizes that an early card lacks are defaults."""
    defaults = {one.name: one.default for one in fields(Architecture) if one.default is not MISSING}
    return json.loads(json.dumps(defaults | value if isinstance(value, dict) else value))


def _difference(old: Any, new: Any) -> str:
    """Tell two values of a model card apart in a few words."""
    if not isinstance(old, list) or not isinstance(new, list):
        return f"{old} then, {new} now"
    if sorted(old) == sorted(new):
        return f"the same {len(old)} in another order"
    gone, added = sorted({*old} - {*new})[:3], sorted({*new} - {*old})[:3]
    parts = [f"{len(old)} then, {len(new)} now"]
    parts += [f"gone: {', '.join(gone)}"] if gone else []
    parts += [f"new: {', '.join(added)}"] if added else []
    return "; ".join(parts)


def checkpoint_to_resume(folder: Path, module: nn.Module) -> Path | None:
    """Return the newest whole checkpoint to go on from, or None for a run that has not begun.

    Warns where that is not the last one, because the last one is damaged.

    Args:
        module: what is trained; its weights must be those of the checkpoint, by name and shape.

    Raises:
        ValueError: there is none that is whole and from this run.
    """
    problems: list[str] = []
    for name in (LAST, PREVIOUS):
        path = folder / "checkpoints" / name
        if not path.is_file():
            continue
        try:
            _check_state(path, module)
        except ValueError as error:
            problems.append(f"{path} is damaged or not from this run ({error})")
            continue
        if problems:
            warnings.warn(f"{problems[0]}: going on from {name}, the one before", stacklevel=2)
        return path
    if problems:
        raise ValueError(
            f"{problems[0]}, so this run can't go on from it. Restore it, or train anew with "
            "resume=false"
        )
    return None


def _check_state(path: Path, module: nn.Module) -> None:
    """Raise a ValueError that says why a checkpoint can't be gone on from, if so."""
    checkpoint = own.content_of(path)
    if missing := sorted(_TRAINING_STATE - checkpoint.keys()):
        raise ValueError(f"it lacks {', '.join(missing)}")
    if problems := _differences(checkpoint["state_dict"], module.state_dict()):
        raise ValueError(f"it is of another network: {_first(problems)}")


def threshold_of(folder: Path) -> float | None:
    """Return the score of equal error rates on the run's first trial list, if it has one."""
    path = folder / "metrics.json"
    if not path.is_file():
        return None
    results = json.loads(path.read_text(encoding="utf-8"))["test"].values()
    thresholds = [result["eer_threshold"] for result in results if "eer_threshold" in result]
    return thresholds[0] if thresholds else None


def load_network(folder: Path) -> tuple[SpeechSpeakerNetwork, ModelCard]:
    """Return the network of a run folder with its best weights, in evaluation mode.

    Raises:
        ValueError: the folder is damaged, or has no heads, as after pre-training.
    """
    card = ModelCard.load(folder)
    if card.vocabulary is None and card.speakers is None:
        raise ValueError(
            f"{folder} has neither a speech head nor a speaker head, so it is good for "
            f"network.wav2vec_checkpoint={folder} only"
        )
    if not (folder / CONFIG_FILE).is_file():  # a conversion wrote it: weights without settings
        converted = rebuild(pretrained.read(folder))
        assert isinstance(converted, SpeechSpeakerNetwork)
        return converted, card
    plain = yaml.safe_load((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    settings = replace(
        read(Network, plain["network"], path="network"),
        wav2vec_checkpoint=None,
        architecture=card.architecture,
    )
    network = build_network(
        settings,
        vocabulary_size=len(card.vocabulary) if card.vocabulary else None,
        num_speakers=len(card.speakers) if card.speakers else None,
        blank=card.blank,
    )
    load_weights(network, checkpoint_of(folder))
    return network.eval(), card


def load_weights(
    network: nn.Module,
    path: Path,
    *,
    vocabulary: Sequence[str] | None = None,
    speakers: Sequence[str] | None = None,
) -> str:
    """Load a checkpoint into a network of the same shape: a run's best, or one of any format.

    Args:
        vocabulary: of the network; the checkpoint's must be the same, if it tells them.
        speakers: of the network; where the checkpoint tells its own, all must be among them.

    Returns:
        What has to be told of it, or "": of the speaker head, the classes that were taken.

    Raises:
        ValueError: the file is no checkpoint, a weight is missing, unexpected or of another shape
            (all are listed), or the symbols or speakers differ.
    """
    state, theirs, their_speakers = _read(path)
    note = ""
    if speakers and their_speakers and has_classes(their_speakers, speakers):
        state = take_classes(state, their_speakers, speakers)
        note = (
            f"the speaker head keeps {len(speakers)} of the {len(their_speakers)} classes of "
            f"{path}, by name"
        )
        their_speakers = speakers
    if problems := _differences(state, network.state_dict()):
        raise ValueError(
            f"{path} does not fit this network ({_first(problems)}). Heads, pooling and sizes must "
            "be those of the run that made it: compare its config.yaml and model.json"
        )
    if vocabulary is not None and theirs is not None and list(theirs) != list(vocabulary):
        raise ValueError(
            f"{path} was trained with other symbols than speech.tokenizer.vocabulary names: "
            f"{_difference(list(theirs), list(vocabulary))}. Give those of its model.json or "
            "vocab.json, in their order"
        )
    if speakers is not None and their_speakers is not None and [*their_speakers] != [*speakers]:
        raise ValueError(
            f"{path} has learnt other speakers than data.speaker.train holds: "
            f"{_difference(list(their_speakers), list(speakers))}. Its speaker head stands for "
            "those; network.wav2vec_checkpoint takes the backbone alone and leaves the heads fresh"
        )
    network.load_state_dict(state)
    return note


def _read(
    path: Path,
) -> tuple[Mapping[str, Tensor], Sequence[str] | None, Sequence[str] | None]:
    """Return the weights of a whole network in our names, its symbols and speakers, if told."""
    path = checkpoint_of(path) if (path / "checkpoints").is_dir() else path
    content = torch_file.read(path) if path.is_file() else None
    if not isinstance(content, Mapping) or "state_dict" not in content:
        checkpoint = pretrained.read(path)
        return checkpoint.state, checkpoint.vocabulary, None
    folder = path.resolve().parent.parent
    card = ModelCard.load(folder) if (folder / own.CARD).is_file() else None
    state = own.network_state(path)
    return state, card.vocabulary if card else None, card.speakers if card else None


def _differences(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    problems = [f"missing: {name}" for name in wanted if name not in state]
    problems += [f"unexpected: {name}" for name in state if name not in wanted]
    problems += [
        f"shape: {name} is {tuple(state[name].shape)}, the network wants {tuple(one.shape)}"
        for name, one in wanted.items()
        if name in state and one.shape != state[name].shape
    ]
    return problems


def _first(problems: list[str]) -> str:
    return f"{len(problems)} differences; {'; '.join(problems[:10])}"
