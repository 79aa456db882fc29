"""How parameters move: groups, learning-rate schedules, freezing, and the gradient's size."""
