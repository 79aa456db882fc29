"""How parameters move: learning-rate schedules, and freezing."""
