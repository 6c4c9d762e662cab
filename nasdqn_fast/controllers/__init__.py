"""Controllers: what to train next. One file each, found by name (`nasdqn_fast.plugins`)."""
