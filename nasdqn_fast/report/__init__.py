"""A study as a page: verdicts, tables and figures, each figure with its data."""
