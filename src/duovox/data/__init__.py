"""Data: from files on a disk to batches of waves.

A corpus reader lists utterances (`corpus`), which are written into tar files (`shard`) of a folder
with an index (`dataset`): one row per utterance, with its place, its length, its speaker and its
text. Everything later works on rows of the index, so that all batches can be planned (`plan`)
before any audio is read and prepared (`wave`, `stage`). A `source` makes a task's batches of them,
and `loader` hands these out. Beside that way stand trial lists (`trial`) and figures (`statistic`).
"""
