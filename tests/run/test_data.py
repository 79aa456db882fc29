"""The settings of the data become sources for learning and sets for scoring."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest

from duovox.data.dataset.index import Index
from duovox.data.trial.list import TrialList
from duovox.decoding.greedy import GreedyDecoder
from duovox.loss.cross_entropy import CrossEntropyLoss
from duovox.loss.ctc import CtcLoss
from duovox.run.settings import Settings
from duovox.run.speaker_data import SpeakerSets, resolve_trials
from duovox.run.speaker_settings import SpeakerData, TrialSet
from duovox.run.speech_data import SpeechSets
from duovox.run.speech_settings import SpeechData
from duovox.task.evaluation import SpeakerEvaluation, SpeechEvaluation
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask

SPEAKER_TASK = SpeakerTask(classification=CrossEntropyLoss())
SPEECH_TASK = SpeechTask(ctc=CtcLoss(), decode=GreedyDecoder(("<pad>",)), vocabulary=("<pad>",))


@pytest.fixture
def speech_sets(settings_of: Callable[..., Settings], tmp_path: Path) -> Callable[..., SpeechSets]:
    def make(*overrides: str) -> SpeechSets:
        settings = settings_of("speech", "speech.dataloader.num_workers=0", *overrides)
        assert settings.data.speech is not None
        assert settings.speech is not None
        return SpeechSets(settings.data.speech, settings.speech, settings.seed, tmp_path)

    return make


@pytest.fixture
def speaker_sets(
    settings_of: Callable[..., Settings], tmp_path: Path
) -> Callable[..., SpeakerSets]:
    def make(*overrides: str) -> SpeakerSets:
        settings = settings_of("speaker", "speaker.dataloader.num_workers=0", *overrides)
        assert settings.data.speaker is not None
        assert settings.speaker is not None
        return SpeakerSets(settings.data.speaker, settings.speaker, settings.seed, tmp_path)

    return make


def test_speech_batches_keep_to_their_budget_and_normalise_waves(speech_sets) -> None:
    source = speech_sets("speech.dataloader.train_max_num_samples=30000").training()
    assert source.num_utterances == 36
    for number in range(source.num_batches):
        batch = source.batch(0, number)
        assert batch.waves.numel() <= 30_000
        wave = batch.waves[0, : batch.num_samples[0]]
        assert wave.mean().abs() < 1e-5
        assert wave.std() == pytest.approx(1, abs=1e-3)


def test_normalisation_is_a_setting(speech_sets) -> None:
    batch = speech_sets("speech.pipeline.normalize=false").training().batch(0, 0)
    assert batch.waves.abs().max() < 0.6  # as recorded


def test_length_limits_leave_utterances_out_by_cause(speech_sets) -> None:
    source = speech_sets("speech.pipeline.max_seconds=0.38").training()  # 6000 of 16000, not 6500
    assert source.num_utterances == 18
    assert {cause: len(keys) for cause, keys in source.dropped.items()} == {
        "longer than 0.38 s": 18
    }


def test_speaker_batches_have_their_size_and_chunks_of_their_length(speaker_sets) -> None:
    source = speaker_sets(
        "speaker.dataloader.train_batch_size=5",
        "speaker.pipeline.selector_train.desired_chunk_length_sec=0.25",
    ).training()
    batch = source.batch(0, 0)
    assert batch.waves.shape == (5, 4000)


def test_validation_hears_chunks_and_test_whole_utterances(speaker_sets) -> None:
    sets = speaker_sets("speaker.pipeline.selector_train.desired_chunk_length_sec=0.25")
    (validation,), (test,) = sets.validation(SPEAKER_TASK), sets.test(SPEAKER_TASK)
    assert {int(n) for batch in validation.batches for n in batch.num_samples} == {4000}
    assert {int(n) for batch in test.batches for n in batch.num_samples} == {6000, 6500}
    assert {len(batch) for batch in test.batches} == {1}
    assert validation.num_batches == len(list(validation.batches))
    assert isinstance(test.evaluation, SpeakerEvaluation)
    assert len(test.evaluation.trials.is_target) == 66


def test_every_utterance_of_a_speech_set_is_scored_once(speech_sets) -> None:
    (test,) = speech_sets("speech.dataloader.test_batch_size=5").test(SPEECH_TASK)
    keys = [key for batch in test.batches for key in batch.keys]
    assert len(keys) == len(set(keys)) == 12
    assert isinstance(test.evaluation, SpeechEvaluation)
    assert test.evaluation.name == "demo"


def test_classes_are_the_sorted_training_speakers(speaker_sets) -> None:
    assert speaker_sets().classes == list("abcdef")


def test_speeds_make_speakers_of_their_own_numbered_as_the_batches_say(speaker_sets) -> None:
    sets = speaker_sets(
        "speaker.pipeline.speeds=[0.9,1.0,1.1]", "speaker.pipeline.speeds_are_speakers=true"
    )
    assert len(sets.classes) == 18
    source = sets.training()
    assert source.num_classes == 18
    seen = set()
    for number in range(source.num_batches):
        batch = source.batch(0, number)
        for key, speaker_id, num_samples in zip(
            batch.keys, batch.speaker_ids.tolist(), batch.num_samples.tolist(), strict=True
        ):
            name, _, speed = sets.classes[speaker_id].partition(" x")
            assert key.startswith(f"{name}/")
            length = 6000 if key.endswith("0") else 6500
            assert num_samples == pytest.approx(length / float(speed or 1), abs=2)
            seen.add(speed)
    assert seen == {"", "0.9", "1.1"}


def test_speeds_alone_change_no_class(speaker_sets) -> None:
    sets = speaker_sets("speaker.pipeline.speeds=[0.9,1.0,1.1]")
    assert sets.classes == list("abcdef")
    assert sets.training().num_classes == 6


def test_augmentations_are_made_and_heard(speech_sets) -> None:
    clean = speech_sets().training().batch(0, 0)
    name = "duovox.data.stage.noise.AdditiveNoise"
    noisy = speech_sets(f"+speech.pipeline.augmentations.hiss={{_target_:{name}}}")
    heard = noisy.training().batch(0, 0)
    assert heard.keys == clean.keys
    assert not heard.waves.equal(clean.waves)


def test_an_unknown_augmentation_is_named_by_its_setting(speech_sets) -> None:
    sets = speech_sets("+speech.pipeline.augmentations.hiss={_target_:duovox.data.stage.no.No}")
    with pytest.raises(ValueError, match=r"speech\.pipeline\.augmentations\.hiss\._target_ names"):
        sets.training()


def test_the_seed_decides_the_batches(speech_sets) -> None:
    small = "speech.dataloader.train_max_num_samples=30000"
    first, again, other = (
        speech_sets(small, f"seed={seed}").training().batch(0, 0) for seed in (1, 1, 2)
    )
    assert first.keys == again.keys != other.keys


def test_several_folders_are_one_training_set(speech_sets, tiny_corpus: Path) -> None:
    folders = [str(tiny_corpus / "demo" / name) for name in ("train", "valid")]
    data = SpeechData(train=folders, validation={}, test={})
    sets = replace(speech_sets(), data=data)
    assert sets.training().num_utterances == 48
    assert sets.validation(SPEECH_TASK) == []


def test_validation_may_share_utterances_with_training_and_says_so(run_door, tiny_corpus) -> None:
    """As LibriSpeech's chapters, some of which Libri-light's training sets hold."""
    train = tiny_corpus / "demo" / "train"
    with pytest.warns(UserWarning, match=r"of data\.speech\.validation\.demo are also in train"):
        run_door("speech", f"data.speech.validation.demo={train}", "eval_model=false")


def test_a_test_speaker_in_training_is_refused(speaker_sets, tiny_corpus: Path) -> None:
    folder = str(tiny_corpus / "demo" / "test")
    trials = str(tiny_corpus / "demo" / "trials_test.txt")
    test = {"voices": TrialSet(folder=folder, trials=trials)}
    sets = replace(speaker_sets(), data=SpeakerData(train=[folder], validation={}, test=test))
    with pytest.raises(ValueError, match=r"2 speakers of trial list trials_test are also in"):
        sets.training()
    validated = replace(sets, data=replace(sets.data, validation=test, test={}))
    assert validated.training().num_utterances == 12  # for validation that is the source's way


def test_speakers_that_no_trial_asks_about_may_be_in_both(speaker_sets, tiny_corpus: Path) -> None:
    folders = [str(tiny_corpus / "demo" / name) for name in ("train", "test")]
    trials = str(tiny_corpus / "demo" / "trials_test.txt")
    test = {"voices": TrialSet(folder=folders, trials=trials)}
    data = SpeakerData(train=folders[:1], validation={}, test=test)
    sets = replace(speaker_sets(), data=data)
    assert sets.training().num_utterances == 36


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tiny_corpus: Path) -> Iterator[str]:
    """Return the address of the tiny corpus in an object store, as `data_folder` names it."""
    if request.param == "file":
        yield f"file://{tiny_corpus}"
        return
    memory = fsspec.filesystem("memory")
    memory.put(str(tiny_corpus / "demo"), "/bucket/demo", recursive=True)
    yield "memory://bucket"
    memory.rm("/bucket", recursive=True)


def test_data_sets_in_object_stores_are_copied_and_read(
    speech_sets, store, tmp_path: Path, capsys
) -> None:
    here, there = speech_sets(), speech_sets(f"data_folder={store}")
    assert there.training().batch(0, 0).waves.equal(here.training().batch(0, 0).waves)
    assert f"copying {store}/demo/train: 1 of 1 shards in " in capsys.readouterr().out
    (copy,) = tmp_path.glob("duovox-train-*")
    assert (copy / "train-000000.tar").is_file()


def test_trial_lists_lie_in_object_stores_too(speaker_sets, store, tmp_path: Path) -> None:
    sets = speaker_sets(f"data_folder={store}")
    assert sets.training().num_utterances == 36
    (test,) = sets.test(SPEAKER_TASK)
    assert len(test.evaluation.trials.is_target) == 66
    assert len(list(tmp_path.glob("duovox-trials_test-*/trials_test.txt"))) == 1


@pytest.mark.parametrize("setting", ["folder", "trials"])
def test_addresses_that_run_programs_are_refused(speaker_sets, setting: str) -> None:
    sets = speaker_sets(f"data.speaker.test.demo_voices.{setting}='pipe:touch hacked'")
    with pytest.raises(ValueError, match=r"'pipe:touch hacked' would run a program"):
        sets.test(SPEAKER_TASK)


def test_a_run_copies_data_to_its_temporary_folder(run_door, tiny_corpus, tmp_path: Path) -> None:
    places = (f"data_folder=file://{tiny_corpus}", f"temp_folder={tmp_path / 'disk'}")
    run_door("mt_speech_speaker", *places, "fit_model=false", "eval_model=false")
    copies = {path.name.split("-")[1] for path in (tmp_path / "disk").iterdir()}
    assert copies == {"train", "valid", "trials_valid"}


def test_trials_name_keys_and_speakers(tiny_corpus: Path, tmp_path: Path) -> None:
    index = Index.load([tiny_corpus / "demo" / "test"])
    path = tmp_path / "few.txt"
    path.write_text("1 i/ONE0.flac i/s/TWO1\n0 i/SIX0 j/ONE1.wav\n")  # sources and a key
    trials = resolve_trials(path, index, name="few")
    assert trials.enroll_keys == ["i/s/ONE0", "i/s/SIX0"]
    assert trials.test_keys == ["i/s/TWO1", "j/s/ONE1"]
    assert trials.test_speakers == ["i", "j"]
    assert trials.is_target == [True, False]
    assert trials.known_as is None


@pytest.mark.parametrize(("form", "num_warnings"), [("original", 1), ("cleaned", 0)])
def test_public_trial_lists_are_named_and_uncleaned_ones_warned_of(
    form: str, num_warnings: int, tiny_corpus: Path, monkeypatch
) -> None:
    monkeypatch.setattr(TrialList, "known_as", f"VoxCeleb1-O, {form}")
    index = Index.load([tiny_corpus / "demo" / "test"])
    with warnings.catch_warnings(record=True, action="always") as caught:
        trials = resolve_trials(tiny_corpus / "demo" / "trials_test.txt", index, name="few")
    assert trials.known_as == f"VoxCeleb1-O, {form}"
    assert len([w for w in caught if "veri_test2.txt with 37611" in str(w.message)]) == num_warnings
