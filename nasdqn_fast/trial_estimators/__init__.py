"""Trial estimators: what an architecture is worth, at less than full training. One file each, found by name."""
