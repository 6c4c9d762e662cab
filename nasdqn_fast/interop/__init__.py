"""Adapters for other packages. Nothing inside nasdqn_fast imports this room, but the package itself to register ids."""
