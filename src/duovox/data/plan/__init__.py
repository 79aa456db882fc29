"""Which utterances make which batch, decided before any audio is read."""
