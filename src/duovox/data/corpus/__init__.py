"""Corpus readers: each lists the utterances of one kind of archive, tree or manifest."""
