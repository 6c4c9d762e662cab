"""Faces for other packages. Nothing inside nasdqn_fast imports this room."""
