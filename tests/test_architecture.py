"""The plan of the house, checked: who may import whom, what files are called, how long they are.

Each check takes the folder of a package and returns its violations as `file:line: sentence`, so
that the tests below can also point it at a small package that breaks the rule.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "src" / "duovox"

_BELOW_RUN = {
    "progress",
    "batch",
    "audio",
    "optim",
    "metric",
    "decoding",
    "loss",
    "network",
    "data",
    "task",
}
# Which room may import which: the only place where this is decided. `data` and `network` never see
# each other; they meet in `batch`, inside `task`. Nobody imports `run` and `cli` but `cli` itself
# and the package's own front door, `duovox/__init__.py`.
MAY_IMPORT: dict[str, set[str]] = {
    "progress": set(),
    "batch": set(),
    "audio": set(),
    "optim": set(),
    "metric": set(),
    "decoding": set(),
    "loss": set(),
    "network": {"batch"},
    "data": {"audio", "batch"},
    "task": {"batch", "network", "loss", "metric", "decoding"},
    "run": _BELOW_RUN,
    "cli": _BELOW_RUN | {"run"},
    "__init__": _BELOW_RUN | {"run"},
}
# Hydra's config stops here: build reads it, train hands it to build, door explains Hydra's errors.
MAY_IMPORT_HYDRA = {"run/build.py", "run/train.py", "run/door.py"}
HYDRA = {"hydra", "omegaconf"}
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "common", "core", "misc"}
MOST_LINES = 300
HEAVY = {"torch", "lightning", "speechbrain", "torchaudio", "wandb"}


def imports_of(file: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of all that a file imports; relative imports begin with a dot."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def room_of(package: Path, file: Path) -> str:
    """Return the room a file lies in; `cli_data.py` is a part of `cli`."""
    first = file.relative_to(package).parts[0].removesuffix(".py")
    return first if first == "__init__" else first.split("_")[0]


def forbidden_imports(package: Path) -> list[str]:
    """Name every import against the arrows of MAY_IMPORT."""
    found = []
    for file in sorted(package.rglob("*.py")):
        room = room_of(package, file)
        for line, name in imports_of(file):
            place = f"{file}:{line}: `{room}` imports {name}"
            parts = name.split(".")
            if name.startswith("."):
                found.append(f"{place}, but imports are absolute")
            elif room not in MAY_IMPORT:
                found.append(f"{place}, but MAY_IMPORT does not know this room")
            elif parts[0] == package.name and len(parts) > 1:
                target = parts[1].split("_")[0]
                if target not in MAY_IMPORT[room] | {room}:
                    allowed = ", ".join(sorted(MAY_IMPORT[room])) or "nothing of ours"
                    found.append(f"{place}, but may import {allowed}")
    return found


def hydra_imports(package: Path) -> list[str]:
    """Name every import of Hydra or OmegaConf outside the files that may."""
    return [
        f"{file}:{line}: imports {name}, but settings arrive as plain typed values"
        for file in sorted(package.rglob("*.py"))
        if file.relative_to(package).as_posix() not in MAY_IMPORT_HYDRA
        for line, name in imports_of(file)
        if name.split(".")[0] in HYDRA
    ]


def import_cycles(package: Path) -> list[str]:
    """Name a cycle among the files of a package, if there is one."""
    return _cycle(package, _module_name)


def folder_cycles(package: Path) -> list[str]:
    """Name a cycle among the folders inside the rooms, though no two files make one."""
    return _cycle(package, _folder_name)


def _cycle(package: Path, name_of: Callable[[Path, Path], str]) -> list[str]:
    modules = {_module_name(package, file): file for file in package.rglob("*.py")}
    graph: dict[str, set[str]] = {}
    for file in modules.values():
        here = name_of(package, file)
        targets = {_longest_known(name, modules) for _, name in imports_of(file)} - {None}
        names = {name_of(package, modules[target]) for target in targets}
        graph.setdefault(here, set()).update(names - {here})
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return [f"{package}: these import each other: {' <- '.join(error.args[1])}"]
    return []


def _folder_name(package: Path, file: Path) -> str:
    """Return `room.folder` for a file in a folder of a room, else the file's own name."""
    parts = file.relative_to(package).parts
    return ".".join(parts[:2]) if len(parts) > 2 else _module_name(package, file)


def _module_name(package: Path, file: Path) -> str:
    parts = file.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _longest_known(name: str, modules: dict[str, Path]) -> str | None:
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def empty_names(package: Path) -> list[str]:
    """Name the files and folders whose names say nothing about what is in them."""
    return [
        f"{path}: a name says what is inside; `{path.stem}` does not"
        for path in sorted(package.rglob("*"))
        if path.stem in EMPTY_WORDS and (path.is_dir() or path.suffix == ".py")
    ]


def long_files(folder: Path) -> list[str]:
    """Name the Python files that hold more than one idea, as their length tells."""
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in _python(folder)}
    return [
        f"{file}: {length} lines, {MOST_LINES} at most; split it by idea"
        for file, length in lengths.items()
        if length > MOST_LINES
    ]


def _python(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


Check = Callable[[Path], list[str]]
CHECKS: list[Check] = [
    forbidden_imports,
    hydra_imports,
    import_cycles,
    folder_cycles,
    empty_names,
    long_files,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_package_keeps_to_the_plan(check: Check) -> None:
    violations = check(PACKAGE)
    assert not violations, "\n".join(violations)


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "scripts"])
def test_files_beside_the_package_are_short_too(folder: str) -> None:
    violations = long_files(REPOSITORY / folder)
    assert not violations, "\n".join(violations)


def test_the_arrows_between_rooms_form_no_cycle() -> None:
    assert set(TopologicalSorter(MAY_IMPORT).static_order()) == set(MAY_IMPORT)


def test_every_room_of_the_plan_exists() -> None:
    rooms = {room_of(PACKAGE, file) for file in PACKAGE.rglob("*.py")}
    assert rooms == set(MAY_IMPORT)


def test_the_tests_mirror_the_folders_of_the_package() -> None:
    tests = REPOSITORY / "tests"
    tested = {file.parent.relative_to(tests) for file in tests.rglob("test_*.py")}
    folders = {file.parent.relative_to(PACKAGE) for file in PACKAGE.rglob("*.py")}
    assert sorted(map(str, tested - folders)) == [], "these folders of tests mirror nothing"
    assert sorted(map(str, folders - tested)) == [], "these folders have no tests"


def test_importing_duovox_loads_nothing_heavy() -> None:
    program = "import sys, duovox; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "duovox" in loaded.stdout.split()
    assert not HEAVY & set(loaded.stdout.split())


# (check, {file: text} of a package that breaks its rule once, what the message must name)
BROKEN: list[tuple[Check, dict[str, str], str]] = [
    (forbidden_imports, {"data/a.py": "\nfrom duovox.network import b"}, "data/a.py:2: `data`"),
    (forbidden_imports, {"data/a.py": "def f():\n import duovox.run.b"}, "duovox.run.b"),
    (forbidden_imports, {"batch.py": "from duovox import audio"}, "nothing of ours"),
    (forbidden_imports, {"run/a.py": "from duovox.cli_data import b"}, "run/a.py:1"),
    (forbidden_imports, {"loss/a.py": "from . import b"}, "imports are absolute"),
    (forbidden_imports, {"attic/a.py": "import os"}, "does not know this room"),
    (hydra_imports, {"task/a.py": "import torch\nfrom omegaconf import DictConfig"}, "a.py:2"),
    (hydra_imports, {"run/log.py": "import hydra"}, "run/log.py:1"),
    (
        import_cycles,
        {"data/a.py": "from duovox.data.b import x", "data/b.py": "import duovox.data.a"},
        "duovox.data.a <- duovox.data.b",
    ),
    (
        folder_cycles,
        {
            "data/a/x.py": "from duovox.data.b.x import y",
            "data/b/x.py": "",
            "data/b/z.py": "from duovox.data.a.x import y",
        },
        "data.a <- data.b",
    ),
    (empty_names, {"data/utils.py": ""}, "`utils`"),
    (empty_names, {"core/a.py": ""}, "`core`"),
    (long_files, {"data/a.py": "x = 1\n" * 301}, "301 lines"),
]


@pytest.mark.parametrize(("check", "files", "message"), BROKEN)
def test_a_breach_of_the_plan_is_found_and_named(
    check: Check, files: dict[str, str], message: str, tmp_path: Path
) -> None:
    package = tmp_path / "duovox"
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)

    violations = check(package)

    assert len(violations) == 1
    assert message in violations[0]


def test_a_package_that_keeps_to_the_plan_passes(tmp_path: Path) -> None:
    package = tmp_path / "duovox"
    (package / "data").mkdir(parents=True)
    (package / "data" / "a.py").write_text("import os\nfrom duovox.audio import b\n" * 150)
    (package / "data" / "b.py").write_text("from duovox.data.a import c\nimport duovox.batch\n")

    assert [violation for check in CHECKS for violation in check(package)] == []
