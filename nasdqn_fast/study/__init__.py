"""Studies: many runs together, and the tabulated benchmark made of them."""
