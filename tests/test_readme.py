"""What the pages tell a reader to type can be typed, and the files that they name are there."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from typer.main import get_command

from duovox.cli import app
from duovox.run.build import read_settings

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
README = (REPOSITORY / "README.md").read_text()
MADE_BY_USERS = {"config/data/mine.yaml", "config/decoder/mine.yaml"}


def blocks(text: str, language: str = "") -> list[str]:
    """Return what stands in the fenced blocks of a language, without their indentation."""
    fenced = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.M | re.S)
    return [textwrap.dedent(block) for name, block in fenced if name == language]


def commands(start: str) -> list[str]:
    """Return the commands of all pages that begin so; outlines such as `a|b [c]` are left out."""
    lines = [
        line.split("  #")[0].strip().removeprefix("$ ").removeprefix("poetry run ")
        for page in PAGES
        for block in blocks(page.read_text())
        for line in block.replace("\\\n", " ").splitlines()
    ]
    is_outline = re.compile(r"\w\|\w| \[|\.\.\.")
    return sorted(
        {line for line in lines if line.startswith(start) and not is_outline.search(line)}
    )


@pytest.mark.parametrize("line", commands("duovox "))
def test_a_command_has_these_options(line: str) -> None:
    command, words = get_command(app), shlex.split(line)[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context("duovox", words)  # refuses what it does not know


def first_of(override: str) -> str:
    """Return what a sweep begins with: the first of several values, the low end of a range."""
    low = re.sub(r"=(?:tag\(log,)?interval\(([^,]+),.*", r"=\1", override)
    return re.sub(r"^([^\[]+=[^\[,]+),.*", r"\1", low)


@pytest.mark.parametrize("line", commands("python run_"))
def test_a_door_has_these_settings(line: str, tmp_path: Path) -> None:
    (mine,) = blocks(README, "yaml")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text(mine)
    _, script, *overrides = shlex.split(re.sub(r"\$\(realpath (.+?)\)", r"\1", line))
    if "-m" in overrides:  # a sweep: look at its first run
        overrides.remove("-m")
        others = ("hydra/sweeper=", "hydra.sweeper.")  # tests/run/test_search.py
        overrides = [first_of(word) for word in overrides if not word.startswith(others)]
    with initialize_config_dir(str(REPOSITORY / "config"), version_base="1.3"):
        config = compose(script[4:-3], [f"hydra.searchpath=[file://{tmp_path}]", *overrides])
    read_settings(config)


def test_there_are_commands_to_look_at() -> None:
    assert len(commands("duovox ")) > 10
    assert len(commands("python run_")) > 10


def test_the_python_example_runs(
    finished_run: Path, tiny_corpus: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (example,) = blocks(README, "python")
    monkeypatch.chdir(tmp_path)
    for name in re.findall(
        r'"([^"/]+\.\w+)"', example
    ):  # libsndfile looks into files, not at names
        Path(name).write_bytes((tiny_corpus / "audio" / "i" / "ONE0.flac").read_bytes())
    run = Path(*re.findall(r'load\("(.+)"\)', example))
    run.parent.mkdir(parents=True)
    run.symlink_to(finished_run)
    exec(example, {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text()
    links = {page.parent / link for link in re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", text)}
    named = set(re.findall(r"\b(?:scripts|config|docs|src|tests|benchmarks)/[\w/]+\.\w+", text))
    named -= MADE_BY_USERS
    assert [path for path in [*links, *(REPOSITORY / n for n in named)] if not path.exists()] == []


def test_the_layout_names_every_room() -> None:
    rooms = {path.parent.name for path in (REPOSITORY / "src" / "duovox").glob("*/__init__.py")}
    assert rooms == {name for name in rooms if f"\n  {name}/" in README}
