"""Adam and what was made of it."""
