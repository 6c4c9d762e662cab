"""How fast the parts are, measured so that the figures can be trusted: ``nasdqn-fast bench``, and asv over the same."""
