"""Results of runs that never ran, for tests of what is made of them."""

from __future__ import annotations

import dataclasses

import fastopt as fo


def make_runs(**given):
    """Made-up results of gradient descent on the bowl; what is not given is None."""
    fields = {field.name: None for field in dataclasses.fields(fo.Runs)}
    usual = {"rule": fo.GradientDescent(), "surface": fo.Bowl(), "seconds": 1.0}
    return fo.Runs(**(fields | usual | given))
