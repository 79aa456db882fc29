"""One shard: a tar file of utterances, written, walked through and scanned."""
