"""The shell around the package: run_tests.sh, quickstart.sh, and rules that all scripts keep."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import dotenv
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SCRIPTS = [REPOSITORY / ".ci" / "run", *sorted((REPOSITORY / "scripts").rglob("*.sh"))]

# Writes down what it is asked, and fails where the test says so.
RECORDER = """#!/bin/sh
case "$*" in *dotenv*) exit 0 ;; esac
echo "$(basename "$0") $*" >> calls.txt
case "$*" in {failing}) exit 3 ;; esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the scripts, whose set-up has nothing to do and whose programs only record."""
    shutil.copytree(REPOSITORY / "scripts", tmp_path / "scripts")
    write_program(tmp_path / "scripts/setup_dependencies.sh", "#!/bin/sh\n")
    for program in ("python", "duovox"):
        write_program(tmp_path / ".venv/bin" / program, RECORDER.format(failing="nothing"))
    return tmp_path


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def call(project: Path, script: str, *arguments: str, **variables: str) -> tuple[int, list[str]]:
    """Return the script's exit code, and what it asked of the programs."""
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    result = subprocess.run(
        [project / "scripts" / script, *arguments],
        env={**environment, **variables},
        capture_output=True,
        check=False,
        cwd="/",
    )
    return result.returncode, (project / "calls.txt").read_text().splitlines()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_can_be_run_and_stops_at_the_first_failure(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in script.read_text()
    subprocess.run(["bash", "-n", script], check=True)


def test_run_tests_hands_its_arguments_to_pytest(project: Path) -> None:
    code, calls = call(project, "run_tests.sh", "tests/metric", "-k", "eer or wer")
    assert code == 0
    assert calls == ["python -m pytest -n 2 tests/metric -k eer or wer"]


def test_run_tests_returns_what_pytest_returns(project: Path) -> None:
    write_program(project / ".venv/bin/python", RECORDER.format(failing="*pytest*"))
    assert call(project, "run_tests.sh")[0] == 3


@pytest.mark.parametrize(
    ("arguments", "variables"), [(["--all", "-x"], {}), (["-x"], {"DUOVOX_ALL_TESTS": "1"})]
)
def test_run_tests_adds_every_suite_that_the_machine_can_serve(
    project: Path, arguments: list[str], variables: dict[str, str]
) -> None:
    write_program(project / ".venv/bin/python", RECORDER.format(failing="*cuda*"))
    programs = project / "programs"
    write_program(programs / "sinfo", "#!/bin/sh\nexit 1")
    variables = {**variables, "PATH": f"{programs}:{os.environ['PATH']}"}

    _, (_, on_this_machine) = call(project, "run_tests.sh", *arguments, **variables)
    assert on_this_machine == "python -m pytest -n 2 -m not gpu and not slurm -x"

    write_program(programs / "sinfo", "#!/bin/sh\n")
    *_, on_slurm = call(project, "run_tests.sh", *arguments, **variables)[1]
    assert on_slurm == "python -m pytest -n 2 -m not gpu -x"


def test_quickstart_prepares_the_corpus_where_the_run_looks_for_it(project: Path) -> None:
    code, calls = call(project, "quickstart.sh", DATA_FOLDER="/somewhere")
    assert code == 0
    assert calls == [
        "duovox prepare demo --out /somewhere/demo",
        "python run_mt_speech_speaker.py +experiment=demo",
    ]


def test_quickstart_stops_where_preparation_fails(project: Path) -> None:
    write_program(project / ".venv/bin/duovox", RECORDER.format(failing="prepare*"))
    code, calls = call(project, "quickstart.sh")
    assert code == 3
    assert calls == ["duovox prepare demo --out data/demo"]


def test_quickstart_fails_where_training_fails(project: Path) -> None:
    write_program(project / ".venv/bin/python", RECORDER.format(failing="*experiment*"))
    assert call(project, "quickstart.sh")[0] == 3


@pytest.mark.parametrize(
    "lines",
    [
        "DATA_FOLDER=/somewhere",
        "DATA_FOLDER = 'my data'  # quoted",
        'export DATA_FOLDER="my # data"',
        "OTHER=1\nDATA_FOLDER=first\nDATA_FOLDER=last # remark\nLOG_FOLDER=logs",
        "  DATA_FOLDER=a\\b \r",
        "ROOT=/corpora # here\nDATA_FOLDER=${ROOT}/${NOBODY_SETS_IT:-x}:${PATH}",
        "# DATA_FOLDER=remark",
        "",
    ],
)
def test_scripts_read_the_data_folder_as_runs_do(lines: str, project: Path) -> None:
    (project / ".env").write_text(lines + "\n")
    expected = dotenv.dotenv_values(project / ".env").get("DATA_FOLDER") or "data"
    command = 'source scripts/environment.sh; printf %s "$data_folder"'
    for variables, wanted in (({}, expected), ({"DATA_FOLDER": "/set"}, "/set")):
        found = subprocess.run(
            ["bash", "-c", command],
            cwd=project,
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout == wanted


def test_every_variable_the_config_reads_is_explained_in_the_example() -> None:
    config = "".join(file.read_text() for file in (REPOSITORY / "config").rglob("*.yaml"))
    read = set(re.findall(r"oc\.env:\s*(\w+)", config))
    explained = set(re.findall(r"^(?:# )?(\w+)=", (REPOSITORY / ".env.example").read_text(), re.M))
    assert read
    assert read <= explained


def test_no_file_names_a_package_index() -> None:
    """Addresses come from pip's own configuration, so that mirrors work; the lock is poetry's."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout: which files belong to the repository is not known")
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    # In a process of its own: where pip has been imported, setuptools and so inductor can't be.
    program = (
        "from pip._internal.models.index import PyPI as p; print(p.netloc, p.file_storage_domain)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    hosts = told.stdout.split()
    assert len(hosts) == 2
    naming = [
        name
        for name in names
        if name and name != "poetry.lock" and (REPOSITORY / name).is_file()
        for host in hosts
        if host in (REPOSITORY / name).read_bytes()
    ]
    assert naming == []
