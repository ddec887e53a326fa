"""Rules that use the sign of the gradient."""
