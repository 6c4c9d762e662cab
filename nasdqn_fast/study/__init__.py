"""Studies: many runs of several methods, tasks and settings, in one folder."""
