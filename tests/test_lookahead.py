"""Lookahead: every part of the rule inside works on, and the step back is the paper's."""

from __future__ import annotations

import json
import math

import numpy as np
import oracles
import oracles_averaging as papers
import pytest
from oracles import add_up, geometric, iterates, rotation, same_bits, symmetric, ulps_apart
from roundings import neighbours

import fastopt as fo
from fastopt.cli import main
from fastopt.rules import Number, Rule, base, parameter

STEPS = 50
_rng = np.random.default_rng(32)
QUADRATIC = fo.Quadratic(
    symmetric(geometric(0.1, 2.0, 6), rotation(6, _rng)), _rng.uniform(-1, 1, 6)
)
_plain = oracles.Quadratic(QUADRATIC.matrix, QUADRATIC.minimizer)
SURFACES = {"fused": (fo.Bowl(), oracles.bowl_gradient), "staged": (QUADRATIC, _plain.gradient)}
STARTS = {kind: _rng.uniform(-5, 5, (37, s.dim)) for kind, (s, _) in SURFACES.items()}
START = STARTS["fused"]


def path(rule, surface, starts, steps=STEPS, **options):
    record = fo.Record(every=1)
    return fo.run(
        rule, surface, starts, max_steps=steps, stop=None, record=record, **options
    ).trajectory


def halving(t):
    return 0.3 * 0.97**t


# The rule inside, and the same as the paper's A: without and with slots, scalars, a point of
# its own, and sums with a number kept for each run; a schedule.
INNER = {
    "descent": (fo.GradientDescent(0.3), papers.descent_step(0.3)),
    "schedule": (fo.GradientDescent(halving), papers.descent_step(halving)),
    "nesterov": (fo.Nesterov(0.1, momentum=0.8), papers.nesterov_step(0.1, 0.8)),
    "adam": (fo.Adam(0.2, eps=1e-3), papers.adam_step(0.2, eps=1e-3)),
    "dog": (fo.DoG(0.5, first=0.01, eps=1e-3), papers.dog_step(0.5, 0.01, 1e-3)),
}


@pytest.mark.parametrize(
    ("name", "kind", "dtype"),
    [
        *((name, "fused", "<f8") for name in INNER),
        *((name, "fused", "<f4") for name in ("nesterov", "dog")),
        *((name, "staged", "<f8") for name in ("nesterov", "adam")),
    ],
)
def test_lookahead_takes_the_steps_of_its_paper(name, kind, dtype):
    inner, make_step = INNER[name]
    surface, gradient = SURFACES[kind]
    starts = STARTS[kind].astype(dtype)

    def oracle(gradient, x, slow_rate=0.7):
        return papers.lookahead(gradient, x, make_step, 4, slow_rate)

    ours = path(fo.Lookahead(inner, 4, 0.7), surface, starts, dtype=dtype)
    near = neighbours(lambda through, x: iterates(oracle, through(gradient), x, STEPS), starts)
    theirs = near.path
    assert ours.dtype == theirs.dtype == dtype
    assert same_bits(ours[:4], np.broadcast_to(starts, (4, *starts.shape)))
    first = np.abs(ours[4] - theirs[4]) / np.spacing(np.abs(theirs[:5]).max((0, 2)))[:, None]
    assert first.max() <= 8
    assert ulps_apart(ours, theirs) <= 2 * near.spread()


def test_defaults():
    rule = fo.Lookahead()
    assert (repr(rule.inner), rule.sync_period, rule.slow_rate) == (
        repr(fo.GradientDescent()),
        5,
        0.5,
    )
    assert repr(fo.Lookahead(fo.Adam.torch(learning_rate=0.1))) == (
        f"Lookahead(inner={fo.Adam.torch(learning_rate=0.1)!r}, sync_period=5.0, slow_rate=0.5)"
    )
    assert fo.rules.get("lookahead", inner=fo.Adam(), sync_period=3).sync_period == 3


class Own(Rule):
    """A user's rule with all that a rule may have, but for values of the surface."""

    name = "test_inside_lookahead"
    slots = ("v", "u")
    scalars = (1.0,)
    memory = (0.25,)
    reductions, combined = 2, 2
    learning_rate: Number = parameter(0.1, base.POSITIVE)
    beta: Number = parameter(0.5, base.FRACTION)
    halved: bool = base.flag(True)

    def initial_slots(self, p, x):
        return p[1] * x, -p[1]

    @staticmethod
    def per_step(p, t, c):
        return (p[1] * c[0] + 0.125 / (t + 1.0),)

    @staticmethod
    def point(p, c, x, s):
        return x - 0.125 * c[0] * s[0]

    @staticmethod
    def prepare(p, c, x, g, s):
        return p[1] * s[0] + c[0] * g, s[1] + 0.125 * x

    @staticmethod
    def terms(p, c, x, g, s):
        return g * s[0], s[1] * s[1]

    @staticmethod
    def combine(p, c, sums, f, m):
        total = 0.5 * m[0] + math.fabs(sums[0]) + sums[1]
        size = p[0] / (1.0 + total)
        return (0.5 * size if p[2] else size, c[0]), (total,)

    @staticmethod
    def update(p, c, x, g, s):
        return x - c[0] * (g + 0.125 * s[0]), (s[0] + 0.0625 * x * c[1], s[1])


del base.registry[Own.name]  # not to be listed in other tests

# Every kernel function, flag and form of a rule.
WHOLE = {
    "own": Own(),
    "own_flag": Own(halved=False),
    "flags": fo.Adam.torch(learning_rate=0.1, amsgrad=True, maximize=False, decoupled=True),
    "prepared": fo.LAMB(0.05),
    "memory": fo.Prodigy(d0=0.125),
    "starts": fo.BarzilaiBorwein(0.2, short=True),
    "no_rate": fo.AcceleratedGradient(),
    "drawn": fo.Langevin(0.1),
    "again": fo.Lookahead(fo.Momentum(0.1), 3, 0.5),
}


@pytest.mark.parametrize(
    ("name", "kind"), [*((name, "fused") for name in WHOLE), ("own", "staged"), ("again", "staged")]
)
def test_with_a_whole_step_back_it_is_the_rule_inside(name, kind):
    # x + (z - x) is z where they are within a factor of 2, and else rounded once.
    inner, surface, starts = WHOLE[name], SURFACES[kind][0], STARTS[kind]
    plain, *moved = (
        path(inner, surface, x, steps=30)
        for x in (starts, np.nextafter(starts, np.inf), np.nextafter(starts, -np.inf))
    )
    around = path(fo.Lookahead(inner, sync_period=1, slow_rate=1.0), surface, starts, steps=30)
    assert np.isfinite(plain).all()
    assert ulps_apart(around, plain) <= 8 * max(ulps_apart(other, plain) for other in moved)


@pytest.mark.parametrize("name", ["own", "flags", "again"])
def test_one_value_a_run_for_any_parameter(name):
    inner = WHOLE[name]
    innermost = inner.inner if name == "again" else inner
    rates = np.linspace(0.02, 0.1, 4)
    periods, shares = np.array([1, 2, 3, 7]), np.array([0.25, 0.5, 0.75, 1.0])

    def around(rate, period, share):
        given = {key: getattr(innermost, key) for key in innermost.parameter_names()}
        varied = type(innermost)(**given | {"learning_rate": rate})
        return fo.Lookahead(fo.Lookahead(varied, 3) if name == "again" else varied, period, share)

    together = path(around(rates, periods, shares), fo.Bowl(), START[0])
    for i in range(4):
        alone = path(around(rates[i], periods[i], shares[i]), fo.Bowl(), START[0])
        assert same_bits(together[:, i], alone), i
    assert same_bits(
        path(fo.Lookahead(inner, [3, 4]), fo.Bowl(), START[0])[:, 1],
        path(fo.Lookahead(inner, 4), fo.Bowl(), START[0]),
    )


def test_rates_times_a_schedule():
    rates = np.array([0.1, 0.4])
    schedule = fo.schedules.Exponential(1.0, 0.9)
    scaled = path(fo.Lookahead(fo.GradientDescent(rates * schedule)), fo.Bowl(), START[0])
    for i, rate in enumerate(rates):
        one = fo.Lookahead(fo.GradientDescent(lambda t, rate=rate: rate * schedule(t)))
        assert ulps_apart(scaled[:, i : i + 1], path(one, fo.Bowl(), START[:1])) <= 16


def test_runs_are_stopped_where_the_slow_weights_are():
    def oracle(gradient, x):
        return papers.lookahead(gradient, x, papers.descent_step(0.3), 5, 0.5)

    starts = START.copy()
    starts[5] = np.nan
    plain = iterates(oracle, oracles.bowl_gradient, starts, 200)
    with np.errstate(invalid="ignore"):
        size = np.sqrt(add_up(oracles.bowl_gradient(plain) ** 2))
    limit = 1.001 * np.nanquantile(size.min(0), 0.6)
    status, steps, x = oracles.judge(plain, gradient=(oracles.bowl_gradient, limit))
    assert {*status} == {"CONVERGED", "MAX_STEPS", "DIVERGED"}
    rule, stop = fo.Lookahead(fo.GradientDescent(0.3)), fo.Stop(gradient=limit)
    runs = fo.run(rule, fo.Bowl(), starts, max_steps=200, stop=stop)
    assert [fo.Status(s).name for s in runs.status] == status.tolist()
    assert runs.steps.tolist() == steps.tolist()
    assert set(runs.steps[runs.success] % 5) == {0}
    np.testing.assert_allclose(runs.x, x, rtol=1e-11)


def test_a_pair_is_compiled_once():
    first, second = (fo.Lookahead(fo.Adam(rate), k).parts() for rate, k in ((0.1, 3), (0.2, 4)))
    assert first == second
    assert hash(first) == hash(second)
    assert first != fo.Lookahead(fo.Adam.torch()).parts()
    assert first.label == "lookahead-adam"
    assert fo.Lookahead.optax(fo.Adam.optax()).parts().label == "lookahead-optax-adam-optax"


def test_it_commutes_with_rotations_if_the_rule_inside_does():
    assert fo.Lookahead(fo.Momentum()).rotation_invariant
    assert not fo.Lookahead(fo.Adam()).rotation_invariant


# -- bad input ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: fo.Lookahead(0.1), TypeError, r"inner=0.1: must be a rule such as fo.Adam"),
        (lambda: fo.Lookahead(fo.Adam), TypeError, r"inner=<class .*: must be a rule such as"),
        (lambda: fo.Lookahead(fo.Polyak()), ValueError, r"inner=Polyak\(.*one gradient a step"),
        (lambda: fo.Lookahead(fo.BFGS()), ValueError, r"inner=BFGS\(.*one gradient a step"),
        (lambda: fo.Lookahead(sync_period=0), ValueError, "must be a whole number >= 1"),
        (lambda: fo.Lookahead(sync_period=2.5), ValueError, "must be a whole number >= 1"),
        (lambda: fo.Lookahead(slow_rate=1.5), ValueError, r"slow_rate=1.5: must be in \(0, 1\]"),
        (lambda: fo.Lookahead(fo.Adam(-1.0)), ValueError, r"learning_rate=-1.0: .* \(Adam\)"),
    ],
)
def test_what_is_no_lookahead_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_arrays_that_do_not_broadcast_are_named():
    rule = fo.Lookahead(fo.Adam([0.1, 0.2]), sync_period=[1, 2, 3])
    with pytest.raises(ValueError, match=r"^sync_period has shape \(3,\), which does not"):
        fo.run(rule, fo.Bowl(), [1.0, 1.0])
    with pytest.raises(ValueError, match=r"beta2=1\.0: .* also when rounded to float32"):
        fo.run(fo.Lookahead(fo.Adam(beta2=0.99999999)), fo.Bowl(), [1.0, 1.0], dtype="float32")


def test_an_inner_rule_comes_first(monkeypatch):
    monkeypatch.setattr(base, "registry", dict(base.registry))
    with pytest.raises(TypeError, match="an inner rule must be the first parameter"):

        class Late(Rule):
            name = "test_late"
            learning_rate: Number = parameter(0.1, base.POSITIVE)
            inner: Rule = base.inner_rule(fo.Adam())


# -- on the command line -----------------------------------------------------------------

RUN = ["run", "lookahead", "bowl", "--max-steps", "10", "--json"]


def test_options_are_those_of_both_rules(capsys):
    assert main([*RUN, "--inner", "adam", "--beta1", "0.5", "--sync-period", "3"]) == 0
    given = json.loads(capsys.readouterr().out)["parameters"]
    assert given == {"inner": repr(fo.Adam(beta1=0.5)), "sync_period": 3.0, "slow_rate": 0.5}
    assert main([*RUN, "--learning-rate", "0.25"]) == 0
    given = json.loads(capsys.readouterr().out)["parameters"]
    assert given["inner"] == repr(fo.GradientDescent(0.25))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--inner", "admm"], "'admm': no such rule; did you mean 'adam'"),
        (["--inner", "adam", "--l1", "1"], "--l1: no such option for lookahead around adam;"),
        (["--learning-rate", "-1"], "learning_rate=-1.0: must be > 0 (GradientDescent)"),
        (["--inner", "polyak"], "must be a rule that takes one gradient a step"),
    ],
)
def test_bad_options_are_one_line(options, text, capsys):
    assert main([*RUN, *options]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1


def test_show_and_list_name_the_rule_inside(capsys):
    assert main(["show", "lookahead"]) == 0
    assert "\ninner        GradientDescent" in capsys.readouterr().out
    assert main(["list", "rules", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rules"]
    row = next(row for row in rows if row["name"] == "lookahead")
    assert row["parameters"]["inner"] == repr(fo.GradientDescent())
