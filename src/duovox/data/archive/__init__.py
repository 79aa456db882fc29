"""Archives are read where they lie: never unpacked to a disk, and nothing in them is trusted."""
