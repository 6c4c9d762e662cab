"""The same training step in other libraries, one file each: what ``nasdqn-fast bench --peers`` compares with.

A peer's file imports its library at the top and has a class ``Training``, as `_setting.PeerTraining` says. Names that
begin with ``_`` are shared by the others; one that ends so only avoids the name of a library.
"""
