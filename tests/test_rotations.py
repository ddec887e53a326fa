"""Which rules commute with rotations of the coordinates, and that each says so."""

from __future__ import annotations

import numpy as np
import pytest
from oracles import geometric, product, rotation, symmetric

import fastopt as fo
from fastopt.cli import main
from fastopt.rules import base

_rng = np.random.default_rng(21)
TURN, _basis = rotation(6, _rng), rotation(6, _rng)
MINIMIZER = _rng.uniform(-1, 1, 6)
# A quadratic and the same one turned.
EIGENVALUES = geometric(0.1, 2.0, 6)
STRAIGHT = fo.Quadratic(symmetric(EIGENVALUES, _basis), MINIMIZER)
TURNED = fo.Quadratic(symmetric(EIGENVALUES, product(TURN, _basis)), product(MINIMIZER, TURN.T))
STARTS = _rng.uniform(-4, 4, (5, 6))
# A line search that compares values finds its step to the square root of a rounding, 1e-8;
# all else that commutes is 3e-11 apart at most, and what does not, 0.08 at least.
ROUNDING, VISIBLE = 1e-7, 1e-2


def unlikeness(rule):
    """How far turned runs are from the runs turned, in units of the way that those went."""
    straight, turned = (
        fo.run(rule, surface, starts, max_steps=20, stop=None, record=fo.Record(every=1)).trajectory
        for surface, starts in ((STRAIGHT, STARTS), (TURNED, product(STARTS, TURN.T)))
    )
    way = np.abs(straight - STARTS).max((0, 2))
    return (np.abs(turned - straight @ TURN.T).max((0, 2)) / way).max()


def settings(cls):
    """The rule with its defaults; and with each flag turned over, if it commutes."""
    yield (rule := cls())
    for name in cls.parameter_names() if rule.rotation_invariant else ():
        if isinstance(flag := getattr(rule, name), bool):
            yield cls(**{name: not flag})


def forms(cls):
    """The paper's form and the presets, in every setting."""
    for form in [cls, *(preset for _, preset in sorted(cls.presets.items()))]:
        # The tests against the libraries compile the presets' pairs anyhow, for half a minute.
        marks = [pytest.mark.peers] if form.library else []
        for rule in settings(form):
            yield pytest.param(rule, marks=marks, id=rule.parts().label)


CLASSES = [cls for _, cls in sorted(base.registry.items()) if cls.family() != "own"]


@pytest.mark.parametrize("rule", [param for cls in CLASSES for param in forms(cls)])
def test_rule_commutes_with_rotations_or_not_as_declared(rule):
    if rule.rotation_invariant:
        assert unlikeness(rule) < ROUNDING
    else:
        assert unlikeness(rule) > VISIBLE


def test_a_subclass_declares_for_itself_and_a_preset_as_its_rule(monkeypatch):
    monkeypatch.setattr(base, "registry", dict(base.registry))

    class Silent(fo.Momentum):
        name = "test_silent"

    class Declared(fo.Momentum):
        name = "test_declared"
        rotation_invariant = True

    class Preset(base.Rule, library="torch", of=Declared):
        learning_rate: base.Number = base.parameter(0.1, base.POSITIVE)
        update = fo.GradientDescent.update

    assert [cls.rotation_invariant for cls in (Silent, Declared, Preset)] == [False, True, True]


@pytest.mark.parametrize(("name", "answer"), [("momentum", "yes"), ("adam", "no")])
def test_show_says_whether_a_rule_commutes_with_rotations(name, answer, capsys):
    assert main(["show", name]) == 0
    assert f"\ncommutes with rotations: {answer}\n" in capsys.readouterr().out
