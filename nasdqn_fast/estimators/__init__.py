"""Estimators: what a segment was worth. One file each, found by name (`nasdqn_fast.plugins`)."""
