"""The same training step in other libraries, one file each: what the benchmark compares with."""
