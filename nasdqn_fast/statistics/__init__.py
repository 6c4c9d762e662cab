"""What a set of runs says, and how surely: estimates with intervals, tests, and survival curves.

Samples are float64 (runs,): one number a run, each run with a seed of its own. Where two samples are called paired,
their i-th numbers belong to the same seed. Nothing here draws from a global generator.
"""
