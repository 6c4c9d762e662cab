"""One run, from its settings to its files: training, resuming, evaluating."""
