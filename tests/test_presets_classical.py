"""The presets of the classical rules against the libraries whose forms they are."""

from __future__ import annotations

import functools
import inspect
import itertools

import numpy as np
import pytest
from oracles import bowl_gradient, iterates, same_bits, ulps_apart
from parity import (
    HILLS,
    SURFACES,
    Preset,
    assert_parity,
    between,
    chosen,
    keras_path,
    magnitudes,
    optax_path,
    torch_path,
)

import fastopt as fo


class Called:
    """Makes the library's optimiser *name*, which has its own *names* for our parameters."""

    def __init__(self, name, **names):
        self.name, self.names = name, names

    def __call__(self, module, *given):
        *x, given = given
        given = {self.names.get(name, name): value for name, value in given.items()}
        return getattr(module, self.name)(*x, **given)


def of_torch(name, **names):
    accumulator = "initial_accumulator_value"
    return Called(name, learning_rate="lr", initial_accumulator=accumulator, **names)


def of_keras(name):
    return Called(name, initial_accumulator="initial_accumulator_value", eps="epsilon")


def flags(*names):
    """Draws in turn all settings of at most four flags, so that 20 draws hold every one."""
    return {name: _turns(2**i) for i, name in enumerate(names)}


def _turns(length):
    values = itertools.cycle([True] * length + [False] * length)
    return lambda rng: next(values)


rate = {"learning_rate": between(0.05, 1.0)}  # in units of 1 / curvature
momentum = {"momentum": between(0.0, 0.95)}
decay = {"weight_decay": magnitudes(1e-4, 0.1)}
lengths = {"learning_rate": magnitudes(1e-4, 0.3)}
accumulator = {"initial_accumulator": magnitudes(1e-3, 10.0)}
eps = {"eps": magnitudes(1e-8, 10.0)}
small_eps = {"eps": magnitudes(1e-10, 1e-2)}  # the size of Adadelta's first steps
rho = {"rho": between(0.3, 0.99)}  # PyTorch averages otherwise from 0.5 downwards
# A variance is nothing but roundings once a gradient has been the same for long, which a slow
# average delays; its epsilon bounds what they do.
centered = {
    "rho": between(0.9, 0.99),
    "eps": magnitudes(1e-3, 1.0),
    "centered": chosen(True),
}
rmsprop_flags = flags("eps_in_sqrt", "nesterov", "bias_correction")

PRESETS = {
    "torch": {
        "gradient_descent": Preset(fo.GradientDescent.torch, of_torch("SGD"), rate | decay, True),
        "momentum": Preset(
            fo.Momentum.torch,
            of_torch("SGD"),
            rate | momentum | decay | {"dampening": between(0.0, 1.0)},
            True,
        ),
        "nesterov": Preset(
            fo.Nesterov.torch, of_torch("SGD"), rate | momentum | decay | flags("nesterov"), True
        ),
        "adagrad": Preset(
            fo.AdaGrad.torch,
            of_torch("Adagrad"),
            lengths | decay | accumulator | eps | {"lr_decay": magnitudes(1e-3, 1.0)},
        ),
        "adadelta": Preset(
            fo.Adadelta.torch,
            of_torch("Adadelta"),
            rho | small_eps | decay | {"learning_rate": between(0.1, 2.0)},
        ),
        "rmsprop": Preset(
            fo.RMSProp.torch,
            of_torch("RMSprop", rho="alpha"),
            lengths | rho | small_eps | decay | momentum,
        ),
        "rmsprop_centered": Preset(
            fo.RMSProp.torch,
            of_torch("RMSprop", rho="alpha"),
            lengths | centered | decay | momentum,
        ),
    },
    "keras": {
        "gradient_descent": Preset(fo.GradientDescent.keras, of_keras("SGD"), rate | decay, True),
        "momentum": Preset(fo.Momentum.keras, of_keras("SGD"), rate | momentum | decay, True),
        "nesterov": Preset(
            fo.Nesterov.keras, of_keras("SGD"), rate | momentum | decay | flags("nesterov"), True
        ),
        "adagrad": Preset(
            fo.AdaGrad.keras, of_keras("Adagrad"), lengths | decay | accumulator | eps
        ),
        "adadelta": Preset(
            fo.Adadelta.keras,
            of_keras("Adadelta"),
            rho | small_eps | decay | {"learning_rate": between(0.001, 2.0)},
        ),
        "rmsprop": Preset(
            fo.RMSProp.keras,
            of_keras("RMSprop"),
            lengths | rho | small_eps | decay | momentum,
        ),
        "rmsprop_centered": Preset(
            fo.RMSProp.keras,
            of_keras("RMSprop"),
            lengths | centered | decay | momentum,
        ),
    },
    "optax": {
        "gradient_descent": Preset(fo.GradientDescent.optax, Called("sgd"), rate, True),
        "momentum": Preset(fo.Momentum.optax, Called("sgd"), rate | momentum, True),
        "nesterov": Preset(
            fo.Nesterov.optax, Called("sgd"), rate | momentum | flags("nesterov"), True
        ),
        "adagrad": Preset(
            fo.AdaGrad.optax,
            Called("adagrad", initial_accumulator="initial_accumulator_value"),
            lengths | accumulator | eps,
        ),
        "adadelta": Preset(
            fo.Adadelta.optax,
            Called("adadelta"),
            rho | small_eps | decay | {"learning_rate": between(0.1, 2.0)},
        ),
        "rmsprop": Preset(
            fo.RMSProp.optax,
            Called("rmsprop", rho="decay", initial_accumulator="initial_scale"),
            lengths | rho | eps | accumulator | momentum | rmsprop_flags,
        ),
        "rmsprop_centered": Preset(
            fo.RMSProp.optax,
            Called("rmsprop", rho="decay", initial_accumulator="initial_scale"),
            lengths | centered | accumulator | momentum | rmsprop_flags,
        ),
    },
}

every_surface = pytest.mark.parametrize("surface", SURFACES)

every_preset = pytest.mark.parametrize(
    ("library", "name"), [(library, name) for library in PRESETS for name in PRESETS[library]]
)


# -- against the libraries ---------------------------------------------------------------


@pytest.mark.peers
@every_preset
def test_defaults_are_those_of_the_library(library, name, request):
    module, preset = request.getfixturevalue(library), PRESETS[library][name]
    module = getattr(module, {"torch": "optim", "keras": "optimizers"}.get(library, ""), module)
    theirs = inspect.signature(getattr(module, preset.theirs.name)).parameters
    rule, compared = preset.ours(), 0
    # What makes the rule the rule that it is.
    own = {"momentum": ["momentum"], "nesterov": ["momentum", "nesterov"]}.get(rule.name, [])
    for parameter in set(rule.parameter_names()) - set(own):
        default = theirs[preset.theirs.names.get(parameter, parameter)].default
        if parameter == "learning_rate" and default in (None, inspect.Parameter.empty):
            continue  # optax leaves it to the user
        assert getattr(rule, parameter) == (0.0 if default is None else default), parameter
        compared += 1
    assert compared or preset.theirs.name == "sgd"


@pytest.mark.peers
@every_surface
@pytest.mark.parametrize("name", PRESETS["torch"])
def test_preset_takes_the_steps_of_torch(name, surface, torch):
    assert_parity(PRESETS["torch"][name], surface, functools.partial(torch_path, torch))


@pytest.mark.peers
@pytest.mark.parametrize("name", PRESETS["torch"])
def test_torch_preset_maximizes_as_torch_does(name, torch):
    preset = PRESETS["torch"][name]
    upwards = preset._replace(
        ours=functools.partial(preset.ours, maximize=True),
        theirs=lambda optim, x, given: preset.theirs(optim, x, given | {"maximize": True}),
    )
    assert_parity(upwards, *HILLS, functools.partial(torch_path, torch))


@pytest.mark.peers
@every_surface
@pytest.mark.parametrize("name", PRESETS["keras"])
def test_preset_takes_the_steps_of_keras(name, surface, keras):
    assert_parity(PRESETS["keras"][name], surface, functools.partial(keras_path, keras))


@pytest.mark.peers
@every_surface
@pytest.mark.parametrize("name", PRESETS["optax"])
def test_preset_takes_the_steps_of_optax(name, surface, jax, optax):
    assert_parity(PRESETS["optax"][name], surface, functools.partial(optax_path, jax, optax))


# -- against the papers' forms, which test_rules.py compares with oracles -----------------

STEPS = 50
STARTS = np.random.default_rng(2).uniform(-5, 5, (9, 2))
SAME = {
    "gradient_descent": (
        fo.GradientDescent(0.3),
        fo.GradientDescent.torch(learning_rate=0.3),
        fo.GradientDescent.keras(learning_rate=0.3),
        fo.GradientDescent.optax(learning_rate=0.3),
    ),
    "momentum": (
        fo.Momentum(0.1),
        fo.Momentum.torch(learning_rate=0.1),
        fo.Momentum.keras(learning_rate=0.1),
        fo.Momentum.optax(learning_rate=0.1),
    ),
    "adagrad": (
        fo.AdaGrad(0.5, eps=0.0),
        fo.AdaGrad.torch(learning_rate=0.5, eps=0.0),
        fo.AdaGrad.keras(learning_rate=0.5, initial_accumulator=0.0, eps=0.0),
        fo.AdaGrad.optax(learning_rate=0.5, initial_accumulator=0.0, eps=0.0),
    ),
    "adadelta": (
        fo.Adadelta(eps=1e-2),
        fo.Adadelta.torch(rho=0.95, eps=1e-2),
        fo.Adadelta.keras(learning_rate=1.0, eps=1e-2),
        fo.Adadelta.optax(rho=0.95, eps=1e-2),
    ),
    "rmsprop": (
        fo.RMSProp(0.05, eps=1e-3),
        fo.RMSProp.torch(learning_rate=0.05, rho=0.9, eps=1e-3),
        fo.RMSProp.optax(learning_rate=0.05, eps=1e-3, eps_in_sqrt=False),
    ),
}


def path(rule, starts=STARTS, **options):
    options = {"max_steps": STEPS, "stop": None, "record": fo.Record(every=1)} | options
    return fo.run(rule, fo.Bowl(), starts, **options).trajectory


@pytest.mark.parametrize("name", SAME)
def test_presets_are_the_paper_s_rule_at_its_settings(name):
    paper, *presets = SAME[name]
    steps = path(paper)
    moved = path(paper, np.nextafter(STARTS, np.inf)), path(paper, np.nextafter(STARTS, -np.inf))
    bound = max(ulps_apart(steps, other) for other in moved)
    for preset in presets:
        assert ulps_apart(path(preset), steps) <= 4 * bound, preset


@pytest.mark.parametrize("library", PRESETS)
def test_nesterov_s_iterate_is_the_paper_s_look_ahead_point(library):
    rate, mu = 0.1, 0.875
    x = path(fo.Nesterov(rate, momentum=mu))
    look_ahead = x[1:] + mu * np.diff(x, axis=0)
    ours = path(getattr(fo.Nesterov, library)(learning_rate=rate, momentum=mu))
    assert ulps_apart(ours[1:], look_ahead) <= 40


@pytest.mark.parametrize("library", PRESETS)
def test_momentum_with_the_flag_is_nesterov_s(library):
    flagged = getattr(fo.Momentum, library)(learning_rate=0.1, nesterov=True)
    own = getattr(fo.Nesterov, library)(learning_rate=0.1)
    assert same_bits(path(flagged), path(own))


def test_torch_dampens_no_first_step():
    rule = fo.Momentum.torch(learning_rate=0.5, momentum=0.5, dampening=0.75)
    x = path(rule, [[8.0, 0.0]], max_steps=2)[:, 0, 0]
    g = x / 10
    v = 0.5 * g[0] + 0.25 * g[1]
    np.testing.assert_allclose(x, [8.0, 8.0 - 0.5 * g[0], x[1] - 0.5 * v], rtol=4e-16)
    # and without momentum none at all
    rule = fo.Momentum.torch(learning_rate=0.5, momentum=0.0, dampening=0.75)
    assert same_bits(path(rule), path(fo.GradientDescent.torch(learning_rate=0.5)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dampening": 0.5}, r"dampening=0.5: must be 0 with nesterov"),
        ({"momentum": 0.0}, r"momentum=0.0: must be > 0 with nesterov"),
    ],
)
def test_torch_s_nesterov_needs_momentum_without_dampening(given, message):
    with pytest.raises(ValueError, match=message):
        fo.Nesterov.torch(**given)
    with pytest.raises(ValueError, match=message):
        fo.Momentum.torch(nesterov=True, **given)
    fo.Nesterov.torch(nesterov=False, **given)


@pytest.mark.parametrize(
    "rule",
    [
        fo.Momentum.torch(learning_rate=0.1, dampening=0.5),
        fo.AdaGrad.torch(learning_rate=0.5, lr_decay=0.1),
        fo.RMSProp.optax(learning_rate=0.05, bias_correction=True),
    ],
    ids=lambda rule: rule.parts().label,
)
def test_scalars_of_a_step_keep_single_precision(rule):
    single = path(rule, STARTS.astype("float32"), dtype="float32")
    assert single.dtype == "float32"
    np.testing.assert_allclose(single, path(rule), rtol=0, atol=5e-4)


def test_initial_accumulator_of_each_run():
    initial = np.geomspace(0.1, 10.0, len(STARTS))
    for make in (fo.AdaGrad.torch, fo.AdaGrad.keras, fo.AdaGrad.optax, fo.RMSProp.optax):
        together = path(make(initial_accumulator=initial))
        for i in (0, 4, 8):
            alone = path(make(initial_accumulator=initial[i]), STARTS[i])
            assert same_bits(together[:, i], alone)


# -- centred RMSProp ---------------------------------------------------------------------


def centered_rmsprop(gradient, x, learning_rate=1e-4, rho=0.95, momentum=0.9, eps=1e-4):
    """Graves (2013), equations 38 to 45."""
    n, m, v = (np.zeros_like(x) for _ in range(3))
    while True:
        yield x
        g = gradient(x)
        n = rho * n + (1 - rho) * g**2
        m = rho * m + (1 - rho) * g
        v = momentum * v - learning_rate * g / np.sqrt(n - m**2 + eps)
        x = x + v


@pytest.mark.parametrize("given", [{}, {"learning_rate": 0.02, "rho": 0.9, "momentum": 0.5}])
def test_centered_rmsprop_takes_the_steps_of_its_paper(given):
    ours = path(fo.CenteredRMSProp(**given))
    theirs, *moved = (
        iterates(centered_rmsprop, bowl_gradient, x, STEPS, **given)
        for x in (STARTS, np.nextafter(STARTS, np.inf), np.nextafter(STARTS, -np.inf))
    )
    assert ulps_apart(ours[:2], theirs[:2]) <= 2
    assert ulps_apart(ours, theirs) <= 4 * max(ulps_apart(other, theirs) for other in moved)


def test_centered_rmsprop_survives_a_gradient_that_never_changes():
    # The exact variance is 0 then, and the rounded one as often below it as above.
    surface = fo.Quadratic(1e-9 * np.eye(2))
    rule = fo.CenteredRMSProp(1e-25, rho=0.5, eps=1e-30)
    starts = 1e9 * STARTS
    runs = fo.run(rule, surface, starts, max_steps=200, stop=None)
    assert same_bits(runs.x, starts)
