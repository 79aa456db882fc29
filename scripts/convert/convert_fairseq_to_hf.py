#!/usr/bin/env python
r"""Carry a checkpoint of fairseq over to transformers.

    poetry run python scripts/convert/convert_fairseq_to_hf.py MODEL.pt FOLDER \
        [--vocabulary dict.ltr.txt] [--trust]

The same as `duovox convert MODEL.pt FOLDER --to huggingface`.
"""

from __future__ import annotations

import sys

from duovox.cli import main

if __name__ == "__main__":
    sys.argv[1:] = ["convert", *sys.argv[1:], "--to", "huggingface"]
    main()
