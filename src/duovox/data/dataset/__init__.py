"""A data set: a folder of shards with an index (`index.parquet`) and a summary (`dataset.json`).

`write` makes one of utterances, `indexing` of anyone's shards; `verify` reads everything again;
`cache` brings one from an object store. `index` loads one or several as columns, and `reader` reads
the audio of their rows.
"""
