"""Searches by real trials: many short runs, of which a controller learns what to train in full."""
