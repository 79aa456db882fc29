"""Trial lists of speaker verification: made, read, resolved to utterances, and checked."""
