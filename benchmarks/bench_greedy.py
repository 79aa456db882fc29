"""C7: greedy CTC to text, 64 utterances x 500 frames x 32 symbols.

Peers: transformers' tokenizer on the best symbols, speechbrain's `ctc_greedy_decode` with its ids
put together to text.

Run: .venv/bin/python benchmarks/bench_greedy.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from speechbrain.decoders.ctc import ctc_greedy_decode
from transformers import Wav2Vec2CTCTokenizer

from duovox.decoding import greedy
from side_by_side import compare, print_header, print_row, print_versions

VOCABULARY = ("<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ")
BATCH, FRAMES = 64, 500


def draw_logits() -> torch.Tensor:
    """Return logits (B, T, V) that speak every third frame, as trained networks do."""
    generator = torch.Generator().manual_seed(0)
    shape = (BATCH, FRAMES)
    ids = torch.randint(4, len(VOCABULARY), shape, generator=generator)
    ids[torch.rand(shape, generator=generator) < 2 / 3] = 0
    noise = torch.randn(*shape, len(VOCABULARY), generator=generator)
    return noise + 10.0 * torch.nn.functional.one_hot(ids, len(VOCABULARY))


def transformers_tokenizer() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vocab.json"
        file.write_text(json.dumps({symbol: place for place, symbol in enumerate(VOCABULARY)}))
        return Wav2Vec2CTCTokenizer(str(file), do_lower_case=False)


def main() -> None:
    torch.set_num_threads(2)
    logits, tokenizer = draw_logits(), transformers_tokenizer()
    num_frames, shares = torch.full((BATCH,), FRAMES), torch.ones(BATCH)

    def ours() -> list[str]:
        return greedy.decode(logits, num_frames, VOCABULARY)

    def transformers() -> list[str]:
        texts: list[str] = tokenizer.batch_decode(logits.argmax(-1))
        return texts

    def speechbrain() -> list[str]:
        rows = ctc_greedy_decode(logits, shares, blank_id=0)
        texts = ("".join(VOCABULARY[symbol] for symbol in row) for row in rows)
        return [text.replace("|", " ").strip() for text in texts]

    assert ours() == transformers() == speechbrain()
    print_versions("torch", "transformers", "speechbrain")
    print_header()
    print_row("C7 greedy, speechbrain", ">= 3x", compare(ours, speechbrain))
    print_row("C7 greedy, transformers", ">= 5x", compare(ours, transformers))


if __name__ == "__main__":
    main()
