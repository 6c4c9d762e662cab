"""Transfers: how weights cross a switch. One file each, found by name (`nasdqn_fast.plugins`)."""
