#!/usr/bin/env python
"""Convert the .m4a files of an extracted VoxCeleb2 to 16 kHz mono .wav files beside them.

    poetry run python scripts/voxceleb2_convert_to_wav.py FOLDER --num_workers 8

What is converted already is left alone, so a command that was stopped goes on when it is given
again. Files that can't be converted are listed in FOLDER/failures.jsonl, and the exit code is 1.
`duovox prepare voxceleb` needs no such files: it reads the archives, or either format.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from duovox.cli_terminal import print_faults, progress, say
from duovox.data.conversion import convert_all, find_compressed
from duovox.data.dataset.finish import FAILURES_FILE, write_failures


def main() -> int:
    """Read the command line and convert; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of .m4a files, at any depth")
    parser.add_argument("--num_workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    try:
        return _convert(arguments.folder, arguments.num_workers)
    except (ValueError, OSError) as error:
        say(f"error: {error}", style="red")
        return 1


def _convert(folder: Path, num_workers: int) -> int:
    files = find_compressed(folder)
    with progress(f"converting {folder}", len(files), "files") as advance:
        done = convert_all(files, num_workers=num_workers, on_file=advance)
    write_failures(folder, done.faults)
    print_faults(done.faults, 20)
    say(f"{folder}: {done.num_converted} converted, {done.num_present} were there already")
    if done.faults:
        say(f"{len(done.faults)} failed: see {folder / FAILURES_FILE}", style="red")
    return 1 if done.faults else 0


if __name__ == "__main__":
    sys.exit(main())
