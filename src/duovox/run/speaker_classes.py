"""Go on with some of the speakers that a checkpoint has learnt: their rows of its speaker head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

_HEAD = "speaker_head."


def has_classes(theirs: Sequence[str], wanted: Sequence[str]) -> bool:
    """Tell whether a checkpoint of other classes has learnt all that are wanted."""
    return list(theirs) != list(wanted) and set(wanted) <= set(theirs)


def take_classes(
    state: Mapping[str, Tensor], theirs: Sequence[str], wanted: Sequence[str]
) -> dict[str, Tensor]:
    """Return the weights of a network with the wanted classes only, in their order.

    Args:
        state: of a network whose speaker head has K classes, with C centers each: (C K, ...).
        theirs: the K classes of the head.
        wanted: names among them, such as the speakers without their copies at other speeds.
    """
    place = {name: number for number, name in enumerate(theirs)}
    rows = [place[name] for name in wanted]
    return {
        name: weight.view(-1, len(theirs), *weight.shape[1:])[:, rows].flatten(0, 1)
        if name.startswith(_HEAD)
        else weight
        for name, weight in state.items()
    }
