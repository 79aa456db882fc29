"""VoxCeleb 1 and 2: from the official archives and tables to training, validation and test sets."""
