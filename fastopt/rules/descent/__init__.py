"""Descent along the gradient, with and without momentum."""
