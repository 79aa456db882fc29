"""C8: CTC beam search with 100 hypotheses, one utterance of 500 frames x 32 symbols.

Peers: torchaudio's `ctc_decoder` with the same lexicon and word trigram; speechbrain's
`CTCBeamSearcher` and, where it is there, pyctcdecode, without a language model. pyctcdecode asks
for an older numpy but runs with this one:

    pip install --no-deps --target /some/folder pyctcdecode pygtrie

Run: PYTHONPATH=/some/folder .venv/bin/python benchmarks/bench_beam.py
"""

from __future__ import annotations

import random
import tempfile
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import torch
from speechbrain.decoders.ctc import CTCBeamSearcher
from torchaudio.models.decoder import ctc_decoder

from duovox.decoding.beam import BeamDecoder
from duovox.decoding.lexicon import write_lexicon
from duovox.decoding.ngram import NgramEstimate
from duovox.decoding.ngram_beam import NgramBeamDecoder
from side_by_side import compare, print_header, print_row, print_versions

VOCABULARY = ("<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ")
FRAMES, BEAM = 500, 100
LM_WEIGHT, WORD_SCORE = 2.0, 0.0
THRESHOLDS = (-5.0, -8.0)  # the peers' default leaves one symbol a frame, ours about five


def draw_sentences() -> list[list[str]]:
    """Return 2,000 sentences of 10 words out of 1,000, some of them frequent."""
    draw = random.Random(0)
    words = ["".join(draw.choices("ETAONIHSRDLU", k=draw.randint(1, 8))) for _ in range(1_000)]
    chances = [1 / (rank + 1) for rank in range(len(words))]
    return [draw.choices(words, chances, k=10) for _ in range(2_000)]


def draw_logits(sentences: list[list[str]]) -> torch.Tensor:
    """Return logits (1, T, V) of the first words: peaks one frame long, four blanks between."""
    text = "|".join(word for sentence in sentences[:20] for word in sentence)
    ids = torch.zeros(FRAMES, dtype=torch.int64)
    ids[::5] = torch.tensor([VOCABULARY.index(letter) for letter in text[: FRAMES // 5]])
    noise = torch.randn(FRAMES, len(VOCABULARY), generator=torch.Generator().manual_seed(0))
    return (noise + 9.0 * torch.nn.functional.one_hot(ids, len(VOCABULARY)))[None]


def main() -> None:
    torch.set_num_threads(1)
    sentences = draw_sentences()
    logits, num_frames = draw_logits(sentences), torch.tensor([FRAMES])
    print_versions("torch", "torchaudio", "speechbrain", "flashlight-text")
    print_header()
    with tempfile.TemporaryDirectory() as folder:
        lm, lexicon = Path(folder) / "lm.arpa", Path(folder) / "lexicon.txt"
        lm.write_text("\n".join(NgramEstimate(sentences, order=3).arpa()) + "\n")
        write_lexicon((word for sentence in sentences for word in sentence), lexicon)
        with_lm(logits, num_frames, str(lm), str(lexicon))
    without_lm(logits, num_frames)


def with_lm(logits: torch.Tensor, num_frames: torch.Tensor, lm: str, lexicon: str) -> None:
    weights = {"beam_size": BEAM, "lm_weight": LM_WEIGHT, "word_score": WORD_SCORE}
    ours = NgramBeamDecoder(VOCABULARY, lm, lexicon, **weights)
    fewer = ours.variant(blank_threshold=0.99)
    theirs = ctc_decoder(lexicon, list(VOCABULARY), lm, blank_token="<pad>", **weights)
    frames = torch.from_numpy(ours.prepare(logits[0].log_softmax(-1)))[None]

    def torchaudio() -> str:
        return " ".join(theirs(frames)[0][0].words)

    text, score = ours.search(logits[0].log_softmax(-1))
    assert text == torchaudio() == fewer(logits, num_frames)[0]
    assert abs(score - theirs(frames)[0][0].score) < 1e-3
    every = compare(lambda: ours(logits, num_frames), torchaudio)
    print_row("C8 lexicon and trigram, torchaudio", ">= 1x", every)
    skipping = compare(lambda: fewer(logits, num_frames), torchaudio)
    print_row("C8 the same, sure blanks left out", ">= 1x", skipping)


def without_lm(logits: torch.Tensor, num_frames: torch.Tensor) -> None:
    ours = BeamDecoder(VOCABULARY, beam_size=BEAM, token_threshold=THRESHOLDS[0])
    theirs = CTCBeamSearcher(
        blank_index=0,
        vocab_list=list(VOCABULARY),
        space_token="|",
        beam_size=BEAM,
        token_prune_min_logp=THRESHOLDS[0],
    )
    scores, shares = logits.log_softmax(-1), torch.ones(1)

    def speechbrain() -> str:
        return str(theirs(scores, shares)[0][0].text)

    assert ours(logits, num_frames)[0] == speechbrain().replace("|", " ").strip()
    alone = compare(lambda: ours(logits, num_frames), speechbrain)
    print_row("C8 no language model, speechbrain", ">= 3x", alone)
    if find_spec("pyctcdecode"):
        against_pyctcdecode(logits, num_frames)


def against_pyctcdecode(logits: torch.Tensor, num_frames: torch.Tensor) -> None:
    from pyctcdecode import build_ctcdecoder

    letters = ["" if symbol == "<pad>" else symbol.replace("|", " ") for symbol in VOCABULARY]
    theirs, scores = build_ctcdecoder(letters), logits[0].log_softmax(-1).numpy()
    for threshold, beam_size in product(THRESHOLDS, (16, BEAM)):
        ours = BeamDecoder(VOCABULARY, beam_size=beam_size, token_threshold=threshold)
        settings = {
            "beam_width": beam_size,
            "token_min_logp": threshold,
            "beam_prune_logp": threshold,
        }

        def pyctcdecode(settings: dict[str, float] = settings) -> str:
            return str(theirs.decode(scores, **settings))

        assert ours(logits, num_frames)[0] == pyctcdecode()
        row = compare(lambda ours=ours: ours(logits, num_frames), pyctcdecode)
        print_row(f"C8 pyctcdecode, beam {beam_size}, symbols > {threshold}", ">= 2x", row)


if __name__ == "__main__":
    main()
