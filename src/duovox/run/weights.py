"""The weights of a run, in and out: tensors and plain data, never anything executable."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from duovox.data.atomic import write_whole
from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.wav2vec2.architecture import Architecture
from duovox.run.network import build_network
from duovox.run.read import read
from duovox.run.settings import Network, Option

MODEL_FILE = "model.json"
_PREFIX = "network."  # of the network's weights inside a Lightning checkpoint
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

    def write(self, folder: Path) -> None:
        """Write model.json."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        write_whole(folder / MODEL_FILE, text + "\n")

    @classmethod
    def load(cls, folder: Path) -> ModelCard:
        """Read model.json."""
        path = folder / MODEL_FILE
        if not path.is_file():
            raise ValueError(
                f"{folder} is no run folder: it has no {MODEL_FILE}. Give the folder that a "
                "training run named on its first line"
            )
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is damaged, restore it: {error}") from error
        return read(cls, content, path=MODEL_FILE)

    def check_continues(self, folder: Path) -> None:
        """Refuse a run folder whose checkpoints belong to another network than this card's.

        Raises:
            ValueError: the folder has a checkpoint, and its speakers, vocabulary or architecture
                are others; weights would fit no more, or stand for other classes.
        """
        if not any((folder / "checkpoints").glob("*.ckpt")) or not (folder / MODEL_FILE).is_file():
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


def checkpoint_of(folder: Path) -> Path:
    """Return best.ckpt of a run folder, or last.ckpt where there is no best."""
    for name in ("best.ckpt", "last.ckpt"):
        if (path := folder / "checkpoints" / name).is_file():
            return path
    raise ValueError(f"{folder / 'checkpoints'} holds no checkpoint: train first (fit_model=true)")


def checkpoint_to_resume(folder: Path, module: nn.Module) -> Path | None:
    """Return last.ckpt of a run folder, or None for a run that has not begun.

    Args:
        module: what is trained; its weights must be those of the checkpoint, by name and shape.

    Raises:
        ValueError: the file is damaged, or not from this run.
    """
    path = folder / "checkpoints" / "last.ckpt"
    if not path.is_file():
        return None
    try:
        checkpoint = _read(path)
        if missing := sorted(_TRAINING_STATE - checkpoint.keys()):
            raise ValueError(f"it lacks {', '.join(missing)}")
        if problems := _differences(checkpoint["state_dict"], module.state_dict()):
            raise ValueError(f"it is of another network: {_first(problems)}")
    except ValueError as error:
        raise ValueError(
            f"{path} is damaged or not from this run ({error}), so this run can't go on from it. "
            "Restore it, or train anew with resume=false"
        ) from error
    return path


def threshold_of(folder: Path) -> float | None:
    """Return the score of equal error rates on the run's first trial list, if it has one."""
    path = folder / "metrics.json"
    if not path.is_file():
        return None
    results = json.loads(path.read_text(encoding="utf-8"))["test"].values()
    thresholds = [result["eer_threshold"] for result in results if "eer_threshold" in result]
    return thresholds[0] if thresholds else None


def load_network(folder: Path) -> tuple[SpeechSpeakerNetwork, ModelCard]:
    """Return the network of a run folder with its best weights, in evaluation mode."""
    card = ModelCard.load(folder)
    plain = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
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


def load_weights(network: nn.Module, path: Path) -> None:
    """Load a checkpoint, or the best of a run folder, into a network of the same shape.

    Raises:
        ValueError: the file is no checkpoint, or a weight is missing, unexpected or of another
            shape; all of them are listed.
    """
    path = checkpoint_of(path) if path.is_dir() else path
    try:
        content = _read(path)["state_dict"]
    except ValueError as error:
        raise ValueError(
            f"{path} can't be read as a checkpoint of a duovox run ({error}). Use another "
            "checkpoint of the run"
        ) from error
    state = {
        name.removeprefix(_PREFIX): tensor
        for name, tensor in content.items()
        if name.startswith(_PREFIX)
    }
    if problems := _differences(state, network.state_dict()):
        raise ValueError(
            f"{path} does not fit this network ({_first(problems)}). Heads, pooling and sizes must "
            "be those of the run that made it: compare its config.yaml and model.json"
        )
    network.load_state_dict(state)


def _differences(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[str]:
    problems = [f"missing: {name}" for name in own if name not in state]
    problems += [f"unexpected: {name}" for name in state if name not in own]
    problems += [
        f"shape: {name} is {tuple(state[name].shape)}, the network wants {tuple(own[name].shape)}"
        for name in own
        if name in state and own[name].shape != state[name].shape
    ]
    return problems


def _first(problems: list[str]) -> str:
    return f"{len(problems)} differences; {'; '.join(problems[:10])}"


def _read(path: Path) -> dict[str, Any]:
    """Return what a checkpoint holds, whose `state_dict` holds tensors by name.

    Raises:
        ValueError: it is damaged, or something else; the message says no more than why.
    """
    _check_whole(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:  # whose own words advise to run the code within
        raise ValueError("it holds more than tensors and plain data") from error
    except (RuntimeError, KeyError, TypeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(one, Tensor) for one in state.values()):
        raise ValueError("it has no state_dict of tensors")
    return dict(content)


def _check_whole(path: Path) -> None:
    """Raise a ValueError unless the file is a zip archive whose checksums are right.

    torch.load does not look at the checksums: bits that have changed would become weights.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError("missing, cut short or something else")
    try:
        with zipfile.ZipFile(path) as archive:
            wrong = archive.testzip()
    except (OSError, zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise ValueError(f"no whole archive: {error}") from error
    if wrong is not None:
        raise ValueError(f"the checksum of {wrong} inside is wrong")
