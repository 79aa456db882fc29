"""Every way in which plain data may not fit its record is refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from duovox.run.read import read
from duovox.run.rule import above, at_least, between, distinct
from duovox.run.settings import Callbacks, Trainer


@dataclass(frozen=True, kw_only=True)
class Leaf:
    rate: float
    name: str = "leaf"


@dataclass(frozen=True, kw_only=True)
class Tree:
    leaf: Leaf
    leaves: list[Leaf]
    sizes: dict[str, int]
    kind: Literal["oak", 16]
    is_green: bool = True
    age: int | None = None
    label: str | list[str] | None = None
    anything: Any = None


GOOD = {"leaf": {"rate": 1}, "leaves": [{"rate": 0.5, "name": "b"}], "sizes": {"a": 1}, "kind": 16}


def test_plain_data_becomes_nested_records_with_defaults() -> None:
    tree = read(Tree, GOOD | {"label": ["x", "y"], "anything": {"free": 1}})
    expected = Tree(
        leaf=Leaf(rate=1.0),
        leaves=[Leaf(rate=0.5, name="b")],
        sizes={"a": 1},
        kind=16,
        label=["x", "y"],
        anything={"free": 1},
    )
    assert tree == expected
    assert type(tree.leaf.rate) is float  # a whole number is a fine rate


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"leef": 1}, r"unknown setting leef\. Did you mean leaf\? Valid here: age, anything, "),
        ({"leaf": {"rat": 1}}, r"unknown setting leaf\.rat\. Did you mean leaf\.rate\?.*\(leaf\)"),
        ({"leaves": [{"rate": 1}, {"rte": 1}]}, r"unknown setting leaves\[1\]\.rte\."),
        ({"leaf": {"name": "a"}}, r"leaf\.rate is required and was not given"),
        ({"leaf": 3}, "leaf must be a group of settings, got 3"),
        ({"leaf": {"rate": "fast"}}, r"leaf\.rate must be of type float, got 'fast'"),
        ({"leaf": {"rate": True}}, r"leaf\.rate must be of type float, got True"),
        ({"leaf": {"rate": 1, "name": 2}}, r"leaf\.name must be of type str, got 2"),
        ({"leaves": "all"}, "leaves must be of type list, got 'all'"),
        ({"sizes": {"a": 1.5}}, r"sizes\.a must be of type int, got 1\.5"),
        ({"sizes": [1]}, r"sizes must be of type dict, got \[1\]"),
        ({"kind": "elm"}, "kind must be one of oak, 16; got 'elm'"),
        ({"kind": 16.0}, r"kind must be one of oak, 16; got 16\.0"),
        ({"kind": ["oak"]}, r"kind must be one of oak, 16; got \['oak'\]"),
        ({"is_green": 1}, "is_green must be of type bool, got 1"),
        ({"age": True}, "age must be of type int, got True"),
        ({"age": "old"}, "age must be of type int, got 'old'"),
        ({"label": 5}, "label must be str or list or NoneType, got 5"),
        ({"label": ["a", 5]}, r"label\[1\] must be of type str, got 5"),
    ],
)
def test_what_does_not_fit_is_named_with_its_rule(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(Tree, GOOD | change)


@dataclass(frozen=True, kw_only=True)
class Ruled:
    count: Annotated[int, at_least(1)] | None = None
    scale: Annotated[float, above(0)] = 1.0
    shares: Annotated[list[Annotated[float, between(0, 1)]], distinct(2)] | None = None
    lowest: float = 0.0

    def __post_init__(self) -> None:
        if self.lowest > self.scale:
            raise ValueError(f"lowest must not be above scale={self.scale}, got {self.lowest}")


def test_values_that_keep_their_rules_pass() -> None:
    ruled = read(Ruled, {"count": 1, "scale": 1e-9, "shares": [0, 1]}, path="a")
    assert ruled == Ruled(count=1, scale=1e-9, shares=[0.0, 1.0])
    assert read(Ruled, {"count": None}) == Ruled()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 0}, r"^a\.count must be at least 1, got 0$"),
        ({"scale": 0}, r"^a\.scale must be above 0, got 0\.0$"),
        ({"scale": float("nan")}, r"^a\.scale must be above 0, got nan$"),
        ({"shares": [0.5, 1.5]}, r"^a\.shares\[1\] must lie in \[0, 1\], got 1\.5$"),
        ({"shares": [0.5]}, r"^a\.shares must list at least 2 entries, each once, got \[0\.5\]$"),
        (
            {"shares": [1, 1]},
            r"^a\.shares must list at least 2 entries, each once, got \[1\.0, 1\.0",
        ),
        ({"lowest": 2}, r"^a\.lowest must not be above scale=1\.0, got 2\.0$"),
    ],
)
def test_a_broken_rule_is_said_with_its_setting(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(Ruled, change, path="a")


def test_a_path_in_front_names_the_group() -> None:
    with pytest.raises(ValueError, match=r"trainer must be a group of settings, got 7"):
        read(Trainer, 7, path="trainer")
    with pytest.raises(ValueError, match=r"callbacks\.monitor is required"):
        read(Callbacks, {}, path="callbacks")
