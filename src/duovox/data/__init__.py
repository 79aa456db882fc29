"""Data: from files on a disk to batches of waves.

A corpus reader lists utterances (`corpus`), `shard` writes them into tar files, `indexing` makes
the index beside the shards, and `index` loads it: one row per utterance, with its place, its
length, its speaker and its text. Everything later works on rows of the index, so that all batches
can be planned before any audio is read.
"""
