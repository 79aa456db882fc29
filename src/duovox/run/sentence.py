"""What an error says to a user: a sentence, without the traceback of the process it comes from."""

from __future__ import annotations

import re


def sentence(error: BaseException) -> str:
    """Return what the error says, without the traceback that loaders put around a worker's error.

    Hydra's parser leaves out which argument it could not read.
    """
    text = re.sub(r"Caught \w+ in DataLoader worker.*\n[\w.]+: ", "", str(error), flags=re.DOTALL)
    argument = getattr(error, "override", None)
    return f"{argument}: {text.rstrip()}" if argument else text.rstrip()
