"""Settings and trial lists that cannot be right: the message says what to change."""

from __future__ import annotations

import re

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


# Each message begins with the setting, by its whole place.
@pytest.mark.parametrize(
    ("door", "setting", "message"),
    [
        ("speaker", "network.stat_pooling_type=meen", "must be one of attentive, "),
        ("mt_speech_speaker", "optim.loss.scale_method=foo", "must be one of dwa, geometric, "),
        ("mt_speech_speaker", "optim.loss.gradient_method=foo", "be one of cagrad, imtl_g, mgda,"),
        ("mt_speech_speaker", "optim.loss.gradnorm_lr=0", "must be above 0, got 0.0"),
        ("mt_speech_speaker", "optim.loss.aam_inter_top_k=-1", "must be at least 0, got -1"),
        ("speaker", "network.num_speaker_centers=3", "needs use_cosine_linear=true: a linear"),
        ("mt_speech_speaker", "optim.loss.static_speech_weight=1.2", "must lie in [0, 1], got 1.2"),
        ("mt_speech_speaker", "optim.loss.dwa_temperature=0", "must be above 0, got 0.0"),
        ("mt_speech_speaker", "optim.loss.dwa_average_loss_window=0", "must be at least 1, got 0"),
        ("speech", "optim.algo.lr=fast", "must be of type "),
        ("speech", "seed=-1", "must lie in [0, 9223372036854775807], got -1"),
        ("speech", "gpus=-1", "must be at least 0, got -1"),
        ("speech", "trainer.max_steps=0", "must be at least 1, got 0"),
        ("speech", "trainer.accumulate_grad_batches=0", "must be at least 1, got 0"),
        ("speech", "trainer.gradient_clip_val=-1", "must be at least 0, got -1.0"),
        ("speech", "trainer.num_threads=-2", "must be at least 0, got -2"),
        ("speech", "callbacks.save_every_minutes=-1", "must be at least 0, got -1.0"),
        ("speech", "callbacks.max_bad_steps=-1", "must be at least 0, got -1"),
        ("speech", "callbacks.bad_utterance_share=2", "must lie in [0, 1], got 2.0"),
        ("speech", "speech.dataloader.train_max_num_samples=0", "must be at least 1, got 0"),
        ("speech", "speech.dataloader.val_batch_size=0", "must be at least 1, got 0"),
        ("speech", "speech.dataloader.num_workers=-1", "must be at least 0, got -1"),
        ("speech", "speech.dataloader.length_jitter=-0.1", "must be at least 0, got -0.1"),
        ("speech", "speech.pipeline.speeds=[]", "must list at least 1 entry, each once, got []"),
        ("speech", "speech.pipeline.max_seconds=0", "must be above min_seconds=0.0, got 0.0"),
        ("speech", "speech.tokenizer.vocabulary=[]", "must list at least 2 entries, each once, "),
        ("speech", "speech.tokenizer.vocabulary=[a,b,b]", "must list at least 2 entries, each on"),
        ("speech", "network.num_frozen_steps=-5", "must be at least 0, got -5"),
        ("speech", "network.architecture.width=15", "must be a multiple of num_heads, got width="),
        ("speech", "network.architecture.num_layers=0", "must be at least 1, got 0"),
        ("speech", "network.regularisation.layerdrop=7", "must lie in [0, 1], got 7.0"),
        ("speech", "network.regularisation.attention_dropout=1.5", "must lie in [0, 1], got 1.5"),
        ("speech", "network.regularisation.attention_dropout=-0.5", "must lie in [0, 1], got -0.5"),
        ("speech", "network.regularisation.mask_time_length=0", "must be at least 1, got 0"),
        ("speaker", "speaker.dataloader.train_batch_size=0", "must be at least 1, got 0"),
        ("speech", "callbacks.monitor=val_eer", "is not measured in this run. Measured: val_"),
        ("speaker", "optim.loss.use_cross_entropy=false", "(AAM-softmax) needs network."),
    ],
)
def test_a_bad_value_is_refused_with_its_rule(run_door, door, setting, message) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(setting.split('=')[0])}") as said:
        run_door(door, setting, "eval_model=false")
    assert message in str(said.value)


@pytest.mark.parametrize(
    ("door", "setting", "message"),
    [
        (
            "speech",
            "callbacks.early_stopping=[{monitor:val_wer,patience:-1}]",
            r"^callbacks\.early_stopping\[0\]\.patience must be at least 0, got -1$",
        ),
        (
            "speech",
            "speech.pipeline.speeds=[1.0,-1.0]",
            r"^speech\.pipeline\.speeds\[1\] must lie in \[0\.5, 2\], got -1\.0$",
        ),
        (
            "speaker",
            "speaker.pipeline.selector_train.desired_chunk_length_sec=0.01",
            r"^speaker\.pipeline\.selector_\w+\.desired_chunk_length_sec must be at least 0\.025, ",
        ),
        ("speech", "+optim.schedule.warmup=1", r"^unknown setting optim\.schedule\.warmup\."),
        (
            "speech",
            "+data.speech.test={a/b: x, 2: y}",
            r"^data\.speech\.test must have names of letters, digits, `_`, `-` and `\.` alone, ",
        ),
        (
            "speaker",
            "speaker.scoring.as_norm_nearest=1",
            r"as_norm_nearest must be at least 2, got 1$",
        ),
        ("speech", "data.speech=null", r"^this run learns speech, .* \(data\.speech\)$"),
    ],
)
def test_a_bad_value_within_a_setting_is_named_by_its_place(
    run_door, door, setting, message
) -> None:
    with pytest.raises(ValueError, match=message):
        run_door(door, setting, "eval_model=false")
