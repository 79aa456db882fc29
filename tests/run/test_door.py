"""At the door a user's mistake ends in a sentence that says which settings there are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from duovox.run.build import read_settings
from duovox.run.door import at_the_door, register_tasks
from duovox.run.stop import Stopped

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a function that hands arguments to a door and returns what it prints on refusing."""
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.delenv("DUOVOX_DEBUG", raising=False)

    def try_door(*arguments: str, name: str = "speech") -> str:
        script = REPOSITORY / f"run_{name}.py"
        monkeypatch.setattr(sys, "argv", [script.name, *arguments])
        with pytest.raises(SystemExit) as exit_, at_the_door(str(script), name):  # noqa: SIM117
            with initialize_config_dir(str(REPOSITORY / "config"), version_base="1.3"):
                read_settings(compose(name, list(arguments)))
        assert exit_.value.code == 1
        return capsys.readouterr().err

    return try_door


@pytest.mark.parametrize(
    ("argument", "guess", "valid"),
    [
        ("trainr.max_steps=3", "Did you mean trainer?", "Valid at the top: callbacks, data, "),
        ("sed=3", "Did you mean seed?", "Valid at the top: callbacks, data, "),
        (
            "trainer.max_step=3",
            "Did you mean trainer.max_steps?",
            "Valid in trainer: accumulate_grad_batches, compile",
        ),
        (
            "speech.pipeline.normalise=false",
            "Did you mean speech.pipeline.normalize?",
            "Valid in speech.pipeline: augmentations, max_seconds",
        ),
        ("optim.algo.learning_rate=1", "", "Valid in optim.algo: _target_, amsgrad, betas"),
    ],
)
def test_a_misspelt_key_is_answered_with_the_valid_ones(say, argument, guess, valid) -> None:
    said = say(argument)
    assert f"Could not override '{argument.split('=')[0]}'" in said
    assert guess in said
    assert valid in said
    assert "Traceback" not in said


def test_new_entries_in_braces_are_answered_with_how_to_add_one(say) -> None:
    said = say("data=demo", "data.speech.validation={mine: [a]}")
    assert "data.speech.validation holds " in said
    assert "+data.speech.validation.NAME=... adds an entry" in said
    assert "Did you mean" not in said


def test_the_hint_looks_at_the_tree_that_the_other_arguments_make(say) -> None:
    assert "Valid in optim.schedule: _target_, factor," in say(
        "optim/schedule=reduce_on_plateau", "optim.schedule.patiens=3"
    )


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("optim/schedule=tristage", "Could not find 'optim/schedule/tristage'"),
        ("optim/schedule=tristage", "tri_stage"),  # among the options
        ("schedule=tri_stage", "Could not override 'schedule'"),
        ("+experiment=baseline_speach", "baseline_speech"),
        ("+trainer.max_step=3", "unknown setting trainer.max_step. Did you mean trainer.max_steps"),
        ("+sed=3", "unknown setting sed. Did you mean seed?"),
        ("trainer.max_steps=many", "trainer.max_steps must be of type int, got 'many'"),
        ("trainer.max_steps=1.5", "trainer.max_steps must be of type int, got 1.5"),
        ("trainer.precision=17", "trainer.precision must be one of auto, 16, bf16, 32; got 17"),
        ("trainer.deterministic=perhaps", "must be of type bool, got 'perhaps'"),
        ("speech.pipeline.unknown_characters=drip", "must be one of error, drop; got 'drip'"),
        ("speech.pipeline.speeds=1.0", "speech.pipeline.speeds must be of type list, got 1.0"),
        ("data.speech.train=[1]", "data.speech.train[0] must be of type str, got 1"),
        ("seed=", "seed must be of type int, got ''"),
        ("data_folder=${oc.env:NO_SUCH_VARIABLE}", "NO_SUCH_VARIABLE"),
        ("trainer.max_steps=${trainer.steps}", "a setting refers to something that is not there"),
        ("optim.algo.lr=[", "optim.algo.lr=[: no viable alternative"),
    ],
)
def test_any_other_bad_argument_is_answered_with_a_sentence(say, argument, message) -> None:
    said = say(argument)
    assert message in said
    assert "Traceback" not in said


def test_a_misspelt_key_in_an_experiment_file_is_refused(say, tmp_path: Path) -> None:
    """As the source's `optiom`, which left a learning rate at its default for a whole paper."""
    (tmp_path / "experiment").mkdir()
    file = tmp_path / "experiment" / "misspelt.yaml"
    file.write_text("# @package _global_\noptiom: {algo: {lr: 3e-5}}\n")
    said = say(f"hydra.searchpath=[file://{tmp_path}]", "+experiment=misspelt", name="speaker")
    assert "optiom" in said
    assert "optim" in said


def fail(error: BaseException) -> None:
    with at_the_door(str(REPOSITORY / "run_speech.py"), "speech"):
        raise error


@pytest.mark.parametrize("error", [ValueError("so it is"), OSError(28, "so it is")])
def test_a_user_error_leaves_with_exit_code_1_and_no_traceback(error, capsys) -> None:
    with pytest.raises(SystemExit) as exit_:
        fail(error)
    assert exit_.value.code == 1
    said = capsys.readouterr().err
    assert "so it is" in said
    assert "Traceback" not in said


def test_an_error_out_of_a_worker_is_said_without_its_traceback(capsys) -> None:
    text = (
        "Caught ValueError in DataLoader worker process 0.\nOriginal Traceback (most recent call "
        'last):\n  File "x.py", line 1, in f\n    raise ValueError("no")\n'
        "ValueError: a.tar: s/t/1: silence: samples 0 to 3\nare silent\n"
    )
    with pytest.raises(SystemExit):
        fail(ValueError(text))
    said = capsys.readouterr().err
    assert said.endswith(": a.tar: s/t/1: silence: samples 0 to 3\nare silent\n")
    assert "Traceback" not in said


def test_a_run_that_was_told_to_stop_says_so_and_keeps_the_code_of_its_signal(capsys) -> None:
    with pytest.raises(SystemExit) as exit_:
        fail(Stopped(15, "stopped at once by SIGTERM; the same command resumes"))
    assert exit_.value.code == 143
    assert "stopped at once by SIGTERM; the same command resumes" in capsys.readouterr().err


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(AssertionError, match="ours"):
        fail(AssertionError("ours"))


def test_debugging_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUOVOX_DEBUG", "1")
    with pytest.raises(ValueError, match="theirs"):
        fail(ValueError("theirs"))


@pytest.mark.parametrize(("num_gpus", "num_tasks"), [(0, 1), (1, 1), (4, 4)])
def test_a_launcher_asks_for_a_task_per_gpu(num_gpus: int, num_tasks: int) -> None:
    register_tasks()
    config = OmegaConf.create({"gpus": num_gpus, "tasks": "${tasks:${gpus}}"})
    assert config.tasks == num_tasks
