"""Settings and trial lists that cannot be right: the message says what to change."""

from __future__ import annotations

import pytest


class TestTrials:
    @pytest.mark.parametrize("kind", ["validation", "test"])
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (None, "there is no trial list"),
            ("1 i/s/ONE0 gone/s/1\n0 i/s/ONE0 lost\n", r"2 of 3 entries .*no audio.*\n.*gone/s/1"),
            ("1 i/s/ONE0 i/s/ONE1\n", "target trials alone"),
            ("1 i/s/ONE0 i/s/ONE1\nyes i/s/ONE0 j/s/ONE0\n", "line 2: 'yes i/s/ONE0 j/s/ONE0'"),
            ("", "holds no trials"),
        ],
        ids=["missing", "no audio", "one class", "bad line", "empty"],
    )
    def test_a_bad_trial_list_is_refused_before_training(
        self, run_door, tiny_corpus, tmp_path, kind, text, message
    ) -> None:
        path = tmp_path / "list.txt"
        if text is not None:
            path.write_text(text)
        voices = f"data.speaker.{kind}.demo_voices"
        folder = f"{voices}.folder={tiny_corpus / 'demo' / 'test'}"
        with pytest.raises(ValueError, match=message):
            run_door("speaker", folder, f"{voices}.trials={path}")
        assert not list(run_door.log_folder.rglob("*.ckpt"))


@pytest.mark.parametrize(
    ("door", "setting", "message"),
    [
        ("speaker", "network.stat_pooling_type=meen", r"must be one of attentive, .*got 'meen'"),
        ("mt_speech_speaker", "optim.loss.scale_method=foo", r"one of dwa, .*got 'foo'"),
        ("mt_speech_speaker", "optim.loss.static_speech_weight=1.2", r"got 1\.2|must lie"),
        ("speech", "optim.algo.lr=fast", r"optim\.algo\.lr must be of type .*got 'fast'"),
        ("speech", "+optim.schedule.warmup=1", r"unknown setting optim\.schedule\.warmup"),
        ("speech", "trainer.max_steps=0", r"trainer\.max_steps must be at least 1, got 0"),
        (
            "speech",
            "trainer.accumulate_grad_batches=0",
            r"accumulate_grad_batches must be at least",
        ),
        ("speech", "trainer.gradient_clip_val=-1", r"trainer\.gradient_clip_val must be 0 "),
        ("speech", "trainer.num_threads=-2", r"trainer\.num_threads must be at least 1, .*got -2"),
        ("speech", "callbacks.save_every_minutes=-1", r"save_every_minutes must be at least 0"),
        ("speech", "callbacks.max_bad_steps=-1", r"callbacks\.max_bad_steps must be at least 0"),
        ("speech", "speech.dataloader.val_batch_size=0", r"batch_size must be at least 1, got 0"),
        ("speech", "speech.pipeline.speeds=[]", r"speed"),
        ("speech", "speech.pipeline.speeds=[-1.0]", r"speed.*-1"),
        ("speech", "callbacks.monitor=val_eer", r"callbacks\.monitor=val_eer is not measured"),
        ("speech", "data.speech=null", r"this run learns speech, but its data has none"),
        (
            "speaker",
            "speaker.pipeline.selector_train.desired_chunk_length_sec=0.01",
            r"desired_chunk_length_sec|400 samples",
        ),
        ("speaker", "network.use_cosine_linear=true", r"use_cross_entropy=true .*cross-entropy"),
    ],
)
def test_a_bad_value_is_refused_with_its_rule(run_door, door, setting, message) -> None:
    overrides = ["optim.loss.scale_method=static"] if "static" in setting else []
    with pytest.raises(ValueError, match=message):
        run_door(door, *overrides, setting, "eval_model=false")
