#!/usr/bin/env python
"""Carry a checkpoint of nano over to fairseq.

    poetry run python scripts/convert/nano_to_fairseq.py NANO.ckpt MODEL.pt [--trust]

The same as `duovox convert NANO.ckpt MODEL.pt --to fairseq`. It needs no other checkpoint of
fairseq to put the weights into, and keys, queries and values arrive where they belong.
"""

from __future__ import annotations

import sys

from duovox.cli import main

if __name__ == "__main__":
    sys.argv[1:] = ["convert", *sys.argv[1:], "--to", "fairseq"]
    main()
