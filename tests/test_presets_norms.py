"""Library forms of clipping, Polyak's step and DoG, against the libraries themselves."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from oracles import ulps_apart
from test_norm_rules import STARTS, STEPS, path

import fastopt as fo

pytestmark = pytest.mark.peers

CLIPPED = [{}, {"learning_rate": 0.25, "max_norm": 0.7}, {"learning_rate": 0.4, "max_norm": 3.0}]


def assert_same_path_but_for_roundings(ours, theirs):
    """At most 4 times what an ulp of the start does, from the first few of the starts."""
    starts = theirs[0]
    plain, *moved = (
        path(ours, fo.Bowl(), x, length=len(theirs) - 1)
        for x in (starts, np.nextafter(starts, np.inf), np.nextafter(starts, -np.inf))
    )
    bound = max(ulps_apart(other, plain) for other in moved)
    assert ulps_apart(plain, theirs) <= 4 * bound
    assert bound < 1e9  # that is, less than 1e-6 of the largest coordinate


@pytest.mark.parametrize("given", CLIPPED, ids=repr)
def test_clipping_is_that_of_pytorch(given, torch):
    rule = fo.ClippedGradientDescent.torch(**given)
    runs = [torch.tensor(x, requires_grad=True) for x in STARTS["fused"]]
    rate = {"lr": given["learning_rate"]} if given else {}
    points = [STARTS["fused"]]
    for _ in range(STEPS):
        for x, g in zip(runs, oracles.bowl_gradient(points[-1]), strict=True):
            x.grad = torch.tensor(g)
            torch.nn.utils.clip_grad_norm_([x], rule.max_norm)
            torch.optim.SGD([x], **rate).step()
        points.append(np.array([x.detach().numpy() for x in runs]))
    assert_same_path_but_for_roundings(rule, np.array(points))


@pytest.mark.filterwarnings("ignore")  # Keras's own, from its arrays under NumPy 2
@pytest.mark.parametrize("given", CLIPPED, ids=repr)
def test_clipping_is_that_of_keras(given, keras):
    rule = fo.ClippedGradientDescent.keras(**given)
    rate = {"learning_rate": given["learning_rate"]} if given else {}
    columns = []
    for start in STARTS["fused"][:6]:
        x = keras.Variable(start, dtype="float64")
        optimiser = keras.optimizers.SGD(global_clipnorm=rule.max_norm, **rate)
        points = [start]
        for _ in range(STEPS):
            gradient = oracles.bowl_gradient(points[-1])
            optimiser.apply([keras.ops.convert_to_tensor(gradient)], [x])
            points.append(np.array(keras.ops.convert_to_numpy(x)))
        columns.append(points)
    assert_same_path_but_for_roundings(rule, np.array(columns).swapaxes(0, 1))


@pytest.mark.parametrize(
    ("ours", "make"),
    [
        (fo.Polyak.optax(), lambda o: o.polyak_sgd()),
        (
            fo.Polyak.optax(learning_rate=2.0, fun_min=-0.25, max_rate=0.4, eps=0.01),
            lambda o: o.polyak_sgd(0.4, 2.0, -0.25, 0.01),
        ),
        *(
            (
                fo.ClippedGradientDescent.optax(learning_rate=rate, max_norm=most),
                lambda o, rate=rate, most=most: o.chain(o.clip_by_global_norm(most), o.sgd(rate)),
            )
            for rate, most in ((0.01, 1.0), (0.25, 0.7), (0.4, 3.0))
        ),
        (fo.DoG.optax(), lambda o: o.contrib.dog()),
        (
            fo.DoG.optax(learning_rate=0.5, first=0.01, eps=1e-3),
            lambda o: o.contrib.dog(0.5, ("heuristic", 0.01), 1e-3),
        ),
    ],
    ids=lambda value: repr(value) if isinstance(value, fo.rules.Rule) else "",
)
def test_preset_takes_the_steps_of_optax(ours, make, jax, optax):
    transform = optax.with_extra_args_support(make(optax))
    starts = STARTS["fused"]
    x = jax.numpy.asarray(starts)
    state = jax.vmap(transform.init)(x)
    points = [starts]
    for _ in range(STEPS):
        gradient, value = oracles.bowl_gradient(points[-1]), oracles.bowl(points[-1])
        change, state = jax.vmap(lambda g, s, x, f: transform.update(g, s, x, value=f))(
            jax.numpy.asarray(gradient), state, x, jax.numpy.asarray(value)
        )
        x = x + change
        points.append(np.asarray(x))
    assert_same_path_but_for_roundings(ours, np.array(points))
