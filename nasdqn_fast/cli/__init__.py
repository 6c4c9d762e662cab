"""The command ``nasdqn-fast``; one file a subcommand."""

from nasdqn_fast.cli.app import main

__all__ = ["main"]
