"""Environments: one file each, found by name (`nasdqn_fast.plugins`)."""
