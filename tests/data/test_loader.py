"""Loaders: the same endless stream for any number of workers, replicas and restarts."""

from __future__ import annotations

import pickle
from itertools import islice

import pytest
import torch

from duovox.batch import MultiTaskBatch, SpeakerBatch, SpeechBatch
from duovox.data.loader import evaluation_loader, training_loader
from duovox.data.plan.batching import Batching
from duovox.data.source.selection import Limits
from duovox.data.source.speaker import SpeakerSource
from duovox.data.source.speech import SpeechSource
from duovox.data.stage.chunk import ChunkRule
from duovox.data.stage.noise import AdditiveNoise
from duovox.data.stage.speed import SpeedPerturbation
from duovox.data.tokenizer import Tokenizer
from duovox.data.wave.preparation import Preparation

# Three workers are more than small machines have cores; that is slower, and nothing else.
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")

TOKENIZER = Tokenizer(("<pad>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
SPEAKERS = tuple(f"speaker{n}" for n in range(4))
RANDOM = {"speed": SpeedPerturbation((0.9, 1.0)), "augmentations": (AdditiveNoise(),)}


@pytest.fixture
def sources(index):
    """Return sources with every random choice there is; their epochs differ in length."""
    return {
        "speech": SpeechSource.for_training(
            index,
            TOKENIZER,
            batching=Batching(max_padded_samples=90_000),
            seed=1,
            preparation=Preparation(**RANDOM),
            limits=Limits(),
        ),
        "speaker": SpeakerSource.for_training(
            index,
            SPEAKERS,
            batching=Batching(batch_size=12, order="random"),
            seed=1,
            preparation=Preparation(chunk=ChunkRule(num_samples=4000), **RANDOM),
            limits=Limits(),
        ),
    }


def take(loader, number: int) -> list:
    return list(islice(loader, number))


def content(batch: MultiTaskBatch) -> tuple:
    speech, speaker = batch.speech, batch.speaker
    return (
        *(speech.keys, speech.waves.numpy().tobytes(), speech.tokens.numpy().tobytes()),
        *(speaker.keys, speaker.waves.numpy().tobytes(), speaker.speaker_ids.tolist()),
    )


@pytest.mark.parametrize("num_workers", [1, 3])
def test_the_batches_are_the_same_for_any_number_of_workers(sources, num_workers) -> None:
    alone = take(training_loader(sources, num_workers=0), 12)
    shared = take(training_loader(sources, num_workers=num_workers), 12)
    assert [content(batch) for batch in alone] == [content(batch) for batch in shared]


def test_a_restarted_stream_goes_on_where_it_stopped(sources) -> None:
    whole = take(training_loader(sources, num_workers=0), 12)
    rest = take(training_loader(sources, start_batch=7, num_workers=2), 5)
    assert [content(batch) for batch in whole[7:]] == [content(batch) for batch in rest]


def test_a_stream_deep_in_training_starts_at_once(sources) -> None:
    plans = []
    source = sources["speech"]
    original = source.waves._draw_speeds
    source.waves._draw_speeds = lambda epoch: plans.append(epoch) or original(epoch)
    take(training_loader({"speech": source}, start_batch=10**9, num_workers=0), 1)
    assert plans == [10**9 // source.num_batches]


def test_replicas_share_one_stream(sources) -> None:
    single = take(training_loader(sources, num_workers=0), 12)
    replicas = [
        take(training_loader(sources, num_workers=0, num_replicas=3, replica=replica), 4)
        for replica in range(3)
    ]
    for number, batch in enumerate(single):
        assert content(replicas[number % 3][number // 3]) == content(batch)


def test_replicas_restart_behind_their_own_batches(sources) -> None:
    whole = take(training_loader(sources, num_workers=0, num_replicas=2, replica=1), 6)
    rest = take(
        training_loader(sources, start_batch=4, num_workers=0, num_replicas=2, replica=1), 2
    )
    assert [content(batch) for batch in whole[4:]] == [content(batch) for batch in rest]


def test_each_task_goes_through_its_own_epochs(sources, index) -> None:
    num_speech, num_speaker = (sources[task].num_batches for task in ("speech", "speaker"))
    assert num_speech != num_speaker
    batches = take(training_loader(sources, num_workers=0), num_speech * num_speaker)
    for start in range(0, len(batches), num_speech):
        epoch = [key for b in batches[start : start + num_speech] for key in b.speech.keys]
        assert sorted(epoch) == sorted(index.key)
    for start in range(0, len(batches), num_speaker):
        epoch = [key for b in batches[start : start + num_speaker] for key in b.speaker.keys]
        assert sorted(epoch) == sorted(index.key)


def test_epochs_come_in_another_order(sources) -> None:
    source = sources["speaker"]
    batches = take(training_loader({"speaker": source}, num_workers=0), 2 * source.num_batches)
    first, second = batches[: source.num_batches], batches[source.num_batches :]
    assert [batch.keys for batch in first] != [batch.keys for batch in second]


@pytest.mark.parametrize(
    ("tasks", "record"),
    [
        (["speech"], SpeechBatch),
        (["speaker"], SpeakerBatch),
        (["speech", "speaker"], MultiTaskBatch),
    ],
)
def test_the_record_is_that_of_the_tasks(sources, tasks, record) -> None:
    loader = training_loader({task: sources[task] for task in tasks}, num_workers=0)
    assert isinstance(take(loader, 1)[0], record)


def test_more_workers_than_shards_or_batches_are_no_problem(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("speaker0/b/c"), entry("speaker0/b/d")])
    source = SpeakerSource.for_training(
        index,
        SPEAKERS,
        batching=Batching(batch_size=2, order="random"),
        seed=1,
        preparation=Preparation(),
        limits=Limits(),
    )
    batches = take(training_loader({"speaker": source}, num_workers=4), 6)
    assert [sorted(batch.keys) for batch in batches] == [["speaker0/b/c", "speaker0/b/d"]] * 6


def test_two_workers_augment_one_utterance_differently(tmp_path, write_shards, entry) -> None:
    source = SpeakerSource.for_training(
        write_shards(tmp_path, [entry("speaker0/b/c")]),
        SPEAKERS,
        batching=Batching(batch_size=1, order="random"),
        seed=1,
        preparation=Preparation(augmentations=(AdditiveNoise(),)),
        limits=Limits(),
    )
    batches = take(training_loader({"speaker": source}, num_workers=2), 4)
    assert len({batch.waves.numpy().tobytes() for batch in batches}) == 4


def test_sources_travel_to_other_processes(sources) -> None:
    take(training_loader(sources, num_workers=0), 3)  # shards are open, epochs planned
    travelled = pickle.loads(pickle.dumps(sources))
    one, two = (take(training_loader(s, num_workers=0), 3) for s in (sources, travelled))
    assert list(map(content, one)) == list(map(content, two))


@pytest.mark.slow
def test_sources_work_in_freshly_started_processes(sources) -> None:
    loader = training_loader(sources, num_workers=1)
    loader.multiprocessing_context = "spawn"
    fresh = take(loader, 2)
    assert list(map(content, fresh)) == list(
        map(content, take(training_loader(sources, num_workers=0), 2))
    )


def test_a_loader_leaves_the_global_random_numbers_alone(sources) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    take(training_loader(sources, num_workers=1), 2)
    assert torch.equal(torch.rand(2), expected)


def test_bad_utterances_reach_the_training_process(tmp_path, write_shards, entry) -> None:
    index = write_shards(
        tmp_path, [entry("speaker0/b/good"), entry("speaker0/b/bad", sample_rate=8000)]
    )
    source = SpeakerSource.for_training(
        index,
        SPEAKERS,
        batching=Batching(batch_size=2, order="random"),
        seed=1,
        preparation=Preparation(),
        limits=Limits(),
    )
    batch = take(training_loader({"speaker": source}, num_workers=1), 1)[0]
    assert batch.keys == ("speaker0/b/good",)
    assert [bad.cause for bad in batch.bad_utterances] == ["wrong sample rate"]


@pytest.mark.parametrize("num_workers", [0, 3])
@pytest.mark.parametrize("num_replicas", [1, 2, 3])
def test_an_evaluation_sees_everything_once_over_all_replicas(
    index, num_workers, num_replicas
) -> None:
    source = SpeakerSource.for_evaluation(index, SPEAKERS, batching=Batching(batch_size=3))
    keys = []
    for replica in range(num_replicas):
        loader = evaluation_loader(
            source, num_workers=num_workers, num_replicas=num_replicas, replica=replica
        )
        keys += [key for batch in loader for key in batch.keys]
    assert sorted(keys) == sorted(index.key)


def test_an_evaluation_fails_with_shard_and_key(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("speaker0/b/bad", sample_rate=8000)])
    source = SpeakerSource.for_evaluation(index, SPEAKERS, batching=Batching(batch_size=3))
    with pytest.raises(ValueError, match=r"shard-000000.tar: speaker0/b/bad: wrong sample rate"):
        list(evaluation_loader(source, num_workers=1))


@pytest.mark.parametrize("tasks", [{}, {"music": None}])
def test_unknown_tasks_are_refused(tasks) -> None:
    with pytest.raises(ValueError, match="speech, speaker or both"):
        training_loader(tasks, num_workers=0)


def test_a_replica_must_be_one_of_them(sources) -> None:
    with pytest.raises(ValueError, match=r"replica must lie in \[0, 2\), got 2"):
        training_loader(sources, num_workers=0, num_replicas=2, replica=2)
