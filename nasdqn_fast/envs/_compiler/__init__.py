"""From an environment's Python functions to machine code, kept on disk between processes."""
