"""Batches of waves: decoded, cut, augmented, normalised; for training or for evaluation."""
