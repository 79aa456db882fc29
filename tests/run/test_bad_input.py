"""Bad input, through the doors: training leaves it out and says so, an evaluation refuses it.

The shards are written by webdataset, as anyone's would be.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import webdataset

from duovox.data.dataset.index import Index
from duovox.data.dataset.indexing import index_shards
from duovox.run import train
from duovox.run.again import evaluate_again


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One utterance of a shard."""

    key: str
    wave: np.ndarray
    transcript: str = "ONE"
    rate: int = 16_000

    @property
    def sample(self) -> dict[str, Any]:
        """What webdataset's writer takes."""
        audio = io.BytesIO()
        soundfile.write(audio, self.wave, self.rate, format="WAV", subtype="FLOAT")
        fields = {"transcript": self.transcript, "speaker_id": self.key.split("/")[0]}
        return {"__key__": self.key, "wav": audio.getvalue(), "json": json.dumps(fields).encode()}


def noise(num_samples: int, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(num_samples).astype(np.float32)


def good(number: int) -> Clip:
    return Clip(key=f"{'xyz'[number % 3]}/s/{number:02d}", wave=noise(6000, number))


GOOD = [good(number) for number in range(30)]
TORN = noise(6000)
TORN[3000] = np.nan
UNREADABLE = [
    Clip(key="x/s/nan", wave=TORN),
    Clip(key="y/s/silent", wave=np.zeros(6000, dtype=np.float32)),
    Clip(key="z/s/slow", wave=noise(3000), rate=8_000),
    Clip(key="x/s/stereo", wave=np.stack([noise(6000)] * 2, axis=1)),
]
CAUSES = {
    "x/s/nan": "not finite",
    "y/s/silent": "silence",
    "z/s/slow": "wrong sample rate",
    "x/s/stereo": "several channels",
}
UNLEARNABLE = [
    Clip(key="x/s/short", wave=noise(399)),
    Clip(key="y/s/empty", wave=noise(6000), transcript=""),
    Clip(key="z/s/crowded", wave=noise(6000), transcript="NINE" * 5),  # 20 tokens, 18 frames
    Clip(key="x/s/odd", wave=noise(6000), transcript="NAÏVE ONE"),
]
CALM = ["callbacks.bad_utterance_count=1000", "eval_model=false", "trainer.max_steps=2"]


def write_shards(folder: Path, *parts: Sequence[Clip]) -> Path:
    """Write each part into a shard and index them all."""
    folder.mkdir(parents=True)
    for number, clips in enumerate(parts):
        with webdataset.TarWriter(str(folder / f"part-{number}.tar")) as writer:
            for clip in clips:
                writer.write(clip.sample)
    index_shards(folder, max_bad_share=1)
    return folder


def zero(shard: Path, key: str) -> None:
    """Overwrite the audio of an utterance, header and all, as a bad disk may."""
    index = Index.load([shard.parent])
    row = list(index.key).index(key)
    with shard.open("r+b") as file:
        file.seek(int(index.offset[row]) - 512)
        file.write(bytes(1024))


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def bad_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a training set with everything in it that is bad."""
    return write_shards(tmp_path_factory.mktemp("bad") / "set", GOOD[:20], GOOD[20:] + UNREADABLE)


def train_on(folder: Path) -> list[str]:
    return [f"data.speech.train=[{folder}]", *CALM]


class TestTraining:
    def test_what_cannot_be_used_is_left_out_counted_and_named(self, run_door, bad_folder) -> None:
        run_door("mt_speech_speaker", *train_on(bad_folder), f"data.speaker.train=[{bad_folder}]")
        found = rows(run_door.run_folder / "bad_utterances.jsonl")
        assert {row["key"]: row["cause"] for row in found} == CAUSES
        assert {Path(row["shard"]) for row in found} == {bad_folder / "part-1.tar"}
        assert {row["step"] for row in found} == {1, 2}
        assert all(row["detail"] for row in found)

    def test_the_limit_stops_the_run_and_counts_the_causes(self, run_door, bad_folder) -> None:
        with pytest.raises(ValueError, match="of 68 training utterances could not be used") as said:
            run_door("speech", *train_on(bad_folder), "callbacks.bad_utterance_count=5")
        message = str(said.value)
        assert message.startswith("8 of 68")  # the second epoch
        for cause in CAUSES.values():
            assert f"{cause}: 2" in message
        assert "the limit is 1.0% and 5 (callbacks.bad_utterance_share" in message

    def test_what_the_index_shows_is_left_out_before_and_named(
        self, run_door, tmp_path, capsys
    ) -> None:
        folder = write_shards(tmp_path / "set", GOOD[:9] + UNLEARNABLE)
        run_door("speech", *train_on(folder), "speech.pipeline.unknown_characters=drop")
        assert {
            (row["key"], row["cause"]) for row in rows(run_door.run_folder / "left_out.jsonl")
        } == {
            ("x/s/short", "shorter than 400 samples"),
            ("y/s/empty", "empty transcript"),
            ("z/s/crowded", "transcript longer than its frames"),
            ("x/s/odd", "unknown characters"),
        }
        said = capsys.readouterr().out
        assert "speech: 9 training utterances" in said
        assert "1 shorter than 400 samples" in said
        assert "see left_out.jsonl" in said

    def test_unknown_characters_are_an_error_unless_told(self, run_door, tmp_path) -> None:
        folder = write_shards(tmp_path / "set", [*GOOD[:3], UNLEARNABLE[3]])
        with pytest.raises(ValueError, match=r"'Ï' in 1 of them.*x/s/odd: 'NAÏVE ONE'") as said:
            run_door("speech", *train_on(folder))
        assert "unknown_characters=drop" in str(said.value)

    @pytest.mark.parametrize("damage", ["zeroed", "cut short", "deleted"])
    def test_a_shard_damaged_on_the_way_costs_its_utterances_only(
        self, run_door, tmp_path, monkeypatch, damage: str
    ) -> None:
        folder = write_shards(tmp_path / "set", GOOD[:6], GOOD[6:9])
        shard = folder / "part-1.tar"

        def harm(*arguments: Any, **settings: Any) -> Any:  # once the index has been read
            if damage == "zeroed":
                zero(shard, GOOD[7].key)
            elif damage == "cut short":
                shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 3])
            else:
                shard.unlink()
            return make_loggers(*arguments, **settings)

        make_loggers = train.make_loggers
        monkeypatch.setattr(train, "make_loggers", harm)
        run_door("speech", *train_on(folder))
        found = rows(run_door.run_folder / "bad_utterances.jsonl")
        lost = {"zeroed": GOOD[7:8], "cut short": GOOD[7:9], "deleted": GOOD[6:9]}[damage]
        assert {row["key"] for row in found} == {clip.key for clip in lost}
        assert {row["cause"] for row in found} == {"damaged shard"}
        assert {Path(row["shard"]) for row in found} == {shard}

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda path: path.write_bytes(path.read_bytes()[:9000]), "9000 bytes instead of"),
            (lambda path: path.unlink(), r"part-0\.tar: missing"),
        ],
        ids=["cut short", "missing"],
    )
    def test_a_shard_that_is_not_whole_at_the_start_is_refused(
        self, run_door, tmp_path, damage: Callable[[Path], Any], message: str
    ) -> None:
        folder = write_shards(tmp_path / "set", GOOD[:6])
        damage(folder / "part-0.tar")
        with pytest.raises(ValueError, match=message) as said:
            run_door("speech", *train_on(folder))
        assert f"duovox shards verify {folder}" in str(said.value)

    def test_only_bad_utterances_are_an_error_with_the_last_named(self, run_door, tmp_path) -> None:
        folder = write_shards(tmp_path / "set", UNREADABLE)
        with pytest.raises(
            ValueError, match=r"utterances in a row cannot be used; the last: .*set"
        ):
            run_door("speech", *train_on(folder))

    def test_only_unlearnable_utterances_are_an_error(self, run_door, tmp_path) -> None:
        folder = write_shards(tmp_path / "set", UNLEARNABLE[:3])
        with pytest.raises(ValueError, match=r"none of 3 utterances can be used \(.*empty transc"):
            run_door("speech", *train_on(folder))

    def test_a_folder_named_twice_is_refused(self, run_door, tmp_path) -> None:
        folder = write_shards(tmp_path / "set", GOOD[:3])
        twice = f"data.speech.train=[{folder},{folder}]"
        with pytest.raises(ValueError, match=r"3 keys come more than once .*name each data set"):
            run_door("speech", twice, *CALM)

    def test_a_budget_below_the_longest_utterance_names_its_setting(self, run_door) -> None:
        with pytest.raises(ValueError, match="longer than a whole batch") as said:
            run_door("speech", "speech.dataloader.train_max_num_samples=5000", *CALM)
        assert "train_max_num_samples" in str(said.value)

    def test_a_test_speaker_among_the_training_speakers_is_refused(
        self, run_door, tiny_corpus
    ) -> None:
        folder = tiny_corpus / "demo" / "test"
        with pytest.raises(ValueError, match="2 speakers of trial list trials_test are also in "):
            run_door("speaker", f"data.speaker.train=[{folder}]", "eval_model=false")

    def test_a_test_set_that_is_trained_on_is_refused(self, run_door, tiny_corpus) -> None:
        train = tiny_corpus / "demo" / "train"
        with pytest.raises(
            ValueError, match=r"^36 of 36 utterances of data\.speech\.test\.demo are also in train"
        ):
            run_door("speech", f"data.speech.test.demo={train}")
        assert not list(run_door.log_folder.rglob("*.ckpt"))


class TestFolders:
    @pytest.mark.parametrize("setting", ["train=[{}]", "validation.demo={}", "test.demo={}"])
    @pytest.mark.parametrize("content", ["missing", "empty", "unfinished"])
    def test_a_folder_that_is_no_data_set_is_refused_before_training(
        self, run_door, tmp_path, setting: str, content: str
    ) -> None:
        folder = tmp_path / "set"
        if content == "empty":
            folder.mkdir()
        elif content == "unfinished":
            write_shards(folder, GOOD[:2])
            (folder / "dataset.json").unlink()
        said_of = {
            "missing": "is no data set: there is no such folder",
            "empty": r"holds no shards \(\*\.tar\)",
            "unfinished": r"it is unfinished .*or foreign \(run `duovox shards index",
        }
        with pytest.raises(ValueError, match=said_of[content]) as said:
            run_door("speech", "data.speech." + setting.format(folder))
        assert str(folder) in str(said.value)
        assert not list(run_door.log_folder.rglob("*.ckpt"))


class TestEvaluation:
    @pytest.mark.parametrize("clip", [UNREADABLE[0], *UNREADABLE[2:]], ids=lambda clip: clip.key)
    def test_what_cannot_be_read_is_an_error_with_shard_and_key(
        self, finished_run, tmp_path, clip: Clip
    ) -> None:
        folder = write_shards(tmp_path / "set", [*GOOD[:3], clip])
        with pytest.raises(ValueError, match=CAUSES[clip.key]) as said:
            evaluate_again(finished_run, folder, num_workers=0)
        assert f"{folder / 'part-0.tar'}: {clip.key}" in str(said.value)

    def test_a_damaged_shard_is_an_error_with_shard_and_key(self, finished_run, tmp_path) -> None:
        folder = write_shards(tmp_path / "set", GOOD[:3])
        zero(folder / "part-0.tar", GOOD[1].key)
        with pytest.raises(ValueError, match="damaged shard") as said:
            evaluate_again(finished_run, folder, num_workers=0)
        assert f"{folder / 'part-0.tar'}: {GOOD[1].key}" in str(said.value)

    def test_validation_during_training_refuses_it_too(self, run_door, tmp_path) -> None:
        folder = write_shards(tmp_path / "set", [*GOOD[:3], UNREADABLE[0]])
        with pytest.raises(ValueError, match=r"part-0\.tar: x/s/nan: not finite"):
            run_door("speech", f"data.speech.validation.demo={folder}")

    def test_what_is_too_short_for_a_frame_is_listed(self, finished_run, tmp_path) -> None:
        folder = write_shards(tmp_path / "set", [*GOOD[:3], UNLEARNABLE[0]])
        with pytest.raises(ValueError, match=r"1 of 4 .*\n.*x/s/short: shorter than 400 samples"):
            evaluate_again(finished_run, folder)

    def test_silence_and_odd_or_no_words_are_scored(self, finished_run, tmp_path) -> None:
        """Nothing is dropped: an empty reference counts what is heard, an odd word is never hit."""
        clips = [GOOD[0], UNREADABLE[1], *UNLEARNABLE[1:]]
        folder = write_shards(tmp_path / "set", clips)
        with pytest.warns(UserWarning, match="1 of 5 reference transcripts, such as 'NAÏVE ONE'"):
            metrics, where = evaluate_again(finished_run, folder, name=tmp_path.name, num_workers=0)
        found = rows(where / "hypotheses" / "set.jsonl")
        assert {row["key"]: row["reference"] for row in found} == {
            clip.key: clip.transcript for clip in clips
        }
        scores = metrics["test"]["set"]
        assert (scores["num_utterances"], scores["num_words"]) == (5, 5)
        assert np.isfinite(scores["wer"])
