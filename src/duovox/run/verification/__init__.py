"""Scores of speaker verification, of any system: made, read, measured, calibrated, fused."""
