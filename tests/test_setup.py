"""scripts/setup_dependencies.sh, on a small project with a poetry and a pip that only pretend."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "setup_dependencies.sh"
TOOLS = [
    "bash",
    "env",
    "dirname",
    "cat",
    "grep",
    "head",
    "df",
    "awk",
    "tee",
    "rm",
    "touch",
    "chmod",
]

# A python3 that works but for what `{change}` does to it; environments come without pip, for speed.
PYTHON = """#!/bin/sh
if [ "$2" = venv ]; then exec "{executable}" -m venv --without-pip "$3"; fi
if [ "$1" = -c ]; then exec "{executable}" -c "import sys; {change}; exec(sys.argv[1])" "$2"; fi
exec "{executable}" "$@"
"""
# `install` leaves a package behind, once the environment is as its author wants it.
POETRY = """#!/bin/sh
if [ "$1" = --version ]; then echo "Poetry (version 2.5.1)"; exit; fi
echo "poetry $1, index: $POETRY_PYPI_MIRROR_URL" >> calls.txt
{trouble}
for packages in .venv/lib/*/site-packages; do touch "$packages/duovox.py"; done
"""
PIP = """#!/bin/sh
case "$*" in
  *"config get global.index-url") echo "https://index.example/simple" ;;
  *install*) echo "pip $*" >> calls.txt ;;
esac
"""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder to set up, and the only programs there are."""

    folder: Path
    programs: Path

    def set_up(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the script from elsewhere."""
        return subprocess.run(
            [self.folder / "scripts" / SCRIPT.name],
            cwd="/",
            env={"PATH": str(self.programs), "HOME": str(self.programs), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        """Return what poetry and pip were asked to do."""
        file = self.folder / "calls.txt"
        return file.read_text().splitlines() if file.exists() else []

    def python(self, name: str = "python3", *, change: str = "pass") -> None:
        """Offer an interpreter called `name`."""
        executable = os.path.realpath(sys.executable)
        write_program(self.programs / name, PYTHON.format(executable=executable, change=change))

    def poetry(self, *, trouble: str = "") -> None:
        """Put a poetry in its place, as if set-up had got it before."""
        write_program(self.folder / ".poetry/bin/poetry", POETRY.format(trouble=trouble))
        write_program(self.folder / ".poetry/bin/python", PIP)


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "a project"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(SCRIPT, folder / "scripts")
    (folder / "poetry.lock").write_text("lock")
    (folder / "pyproject.toml").write_text("project")
    programs = tmp_path / "programs"
    programs.mkdir()
    for tool in TOOLS:
        (programs / tool).symlink_to(str(shutil.which(tool)))
    return Project(folder=folder, programs=programs)


def test_setup_installs_into_the_project_and_then_has_nothing_to_do(project: Project) -> None:
    project.python()
    project.poetry()

    first = project.set_up()
    assert first.returncode == 0, first.stderr
    assert f'export PATH="{project.folder}/.poetry/bin:$PATH"' in first.stdout
    assert project.calls() == ["poetry install, index: "]

    second = project.set_up()
    assert second.stdout == "setup: up to date\n"
    assert len(project.calls()) == 1


def test_setup_runs_again_when_the_lock_changes_or_the_package_is_gone(project: Project) -> None:
    project.python()
    project.poetry()
    project.set_up()

    (project.folder / "poetry.lock").write_text("another lock")
    project.set_up()
    assert len(project.calls()) == 2

    next(project.folder.glob(".venv/lib/*/site-packages/duovox.py")).unlink()
    assert project.set_up().returncode == 0
    assert len(project.calls()) == 3


def test_an_environment_that_was_moved_is_made_anew(project: Project, tmp_path: Path) -> None:
    project.python()
    project.poetry()
    project.set_up()
    moved = Project(folder=project.folder.rename(tmp_path / "moved"), programs=project.programs)

    assert "making .venv" in moved.set_up().stdout
    assert str(moved.folder) in (moved.folder / ".venv/bin/duovox").read_text()


def test_an_index_without_json_api_is_read_through_the_address_pip_knows(project: Project) -> None:
    project.python()
    trouble = "echo Unable to find installation candidates; exit 1"
    project.poetry(trouble=f'[ -n "$POETRY_PYPI_MIRROR_URL" ] || {{ {trouble}; }}')

    result = project.set_up()

    assert result.returncode == 0, result.stderr
    without, plugin, with_plugin = project.calls()
    assert without == "poetry install, index: "
    assert "poetry-plugin-pypi-mirror==" in plugin
    assert with_plugin == "poetry install, index: https://index.example/simple"


def test_pip_s_environment_variable_wins_over_its_configuration(project: Project) -> None:
    project.python()
    project.poetry(trouble='[ -n "$POETRY_PYPI_MIRROR_URL" ] || { echo Expecting value; exit 1; }')

    project.set_up(PIP_INDEX_URL="https://other.example/simple")

    assert project.calls()[-1] == "poetry install, index: https://other.example/simple"


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("  | connection reset", "  | connection reset"),
        ("  | connection reset", "install.log"),
    ],
)
def test_a_failed_installation_says_why_and_leaves_no_stamp(
    project: Project, says: str, message: str
) -> None:
    project.python()
    project.poetry(trouble=f"echo '{says}'; exit 1")

    result = project.set_up()

    assert result.returncode == 1
    assert message in result.stderr
    assert project.set_up().returncode == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("sys.version_info = (3, 10, 1)", "python3 is version 3.10"),
        ("sys.version_info = (3, 14, 0)", "python3 is version 3.14"),
        ("sys.modules['ensurepip'] = None", "python3 has no venv module"),
        ("sys.exit(127)", "python3 does not start"),
    ],
)
def test_an_unsuitable_python_is_refused_with_its_reason(
    project: Project, change: str, message: str
) -> None:
    project.python(change=change)

    result = project.set_up()

    assert result.returncode == 1
    assert message in result.stderr
    assert "python3.13 not found" in result.stderr
    assert not (project.folder / ".venv").exists()


def test_an_unsuitable_python3_gives_way_to_a_suitable_one_of_another_name(
    project: Project,
) -> None:
    project.python("python3", change="sys.version_info = (3, 9, 1)")
    project.python("python3.12")
    project.poetry()
    assert project.set_up().returncode == 0


def test_the_interpreter_can_be_named(project: Project) -> None:
    project.python("python3")
    project.python("mine", change="sys.version_info = (3, 9, 1)")
    assert "mine is version 3.9" in project.set_up(PYTHON="mine").stderr
