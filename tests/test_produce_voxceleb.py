"""The script for VoxCeleb asks for the right sets, where the configuration looks for them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
SCRIPT = Path("scripts/data/voxceleb/produce_vox2_train_val_test3.sh")
LISTS = ("veri_test2", "list_test_all2", "list_test_hard2")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the scripts, the lists, and a duovox that only writes down what it is asked."""
    shutil.copytree(REPOSITORY / "scripts", tmp_path / "scripts")
    program = tmp_path / ".venv/bin/duovox"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$*" >> calls.txt\n')
    program.chmod(0o755)
    (tmp_path / "data/voxceleb_meta").mkdir(parents=True)
    for name in LISTS:
        (tmp_path / "data/voxceleb_meta" / f"{name}.txt").touch()
    return tmp_path


def call(project: Path, *options: str, **variables: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [project / SCRIPT, *options],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        check=False,
    )
    calls = project / "calls.txt"
    return done.returncode, calls.read_text().splitlines() if calls.exists() else []


@pytest.mark.parametrize("corpus", ["voxceleb1", "voxceleb2"])
def test_the_sets_are_made_and_verified_where_the_configuration_looks(corpus: str, project: Path):
    code, (prepare, *verified) = call(project, CORPUS=corpus, WORKERS="3")
    assert code == 0
    config = yaml.safe_load((REPOSITORY / "config/data" / f"{corpus}.yaml").read_text())["speaker"]
    config = yaml.safe_load(yaml.dump(config, sort_keys=False).replace("${data_folder}", "data"))
    tests = config["test"].values()
    sets = [*config["train"], *(one["folder"] for one in [*config["validation"].values(), *tests])]
    assert [line.split()[2] for line in verified] == sets
    for one in tests:
        assert f"--trials {one['trials']}" in prepare
    assert prepare.startswith(f"prepare voxceleb data/voxceleb_archives --out data/{corpus}_shards")
    assert prepare.endswith(f"--train {corpus} --workers 3")


def test_options_are_handed_on_and_parts_are_not_verified(project: Path):
    code, calls = call(project, "--split", "different", "--part", "1/2")
    assert (code, len(calls)) == (0, 1)
    assert calls[0].endswith("--split different --part 1/2")


def test_a_missing_list_or_another_corpus_is_said(project: Path):
    assert call(project, CORPUS="voxceleb3") == (2, [])
    (project / "data/voxceleb_meta/list_test_hard2.txt").unlink()
    assert call(project) == (1, [])
