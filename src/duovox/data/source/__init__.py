"""Numbered batches of one task: what can be used of an index, as waves and targets."""
