"""Numbers chosen by comparing, as selections: a branch would stop vectorisation."""

from __future__ import annotations


def sign(v):
    """-1, 0 or 1; nan of nan."""
    return 1.0 if v > 0.0 else (-1.0 if v < 0.0 else v)


def larger(a, b):
    """The larger of two numbers; *b* if *a* is nan."""
    return a if a > b else b


def clip(v, low, high):
    """The number in [low, high] that is nearest to v; nan of nan."""
    return low if v < low else (high if v > high else v)
