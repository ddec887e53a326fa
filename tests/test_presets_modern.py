"""Presets of the newer element-wise rules against torch, Keras and optax, step for step."""

from __future__ import annotations

import pytest
from parity import (
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

pytestmark = pytest.mark.peers

yes_or_no = chosen(False, True)
rate = {"learning_rate": magnitudes(1e-4, 1e-1)}
steps = {
    "learning_rate": magnitudes(1e-3, 1e-1),
    "shrink": between(0.2, 0.8),
    "grow": between(1.05, 1.5),
    "min_step": magnitudes(1e-8, 1e-4),
    "max_step": magnitudes(1e-1, 10.0),
}
betas = {"beta1": between(0.5, 0.95), "beta2": between(0.9, 0.9999)}
epsilon = {"eps": magnitudes(1e-10, 1e-3)}
epsilons = epsilon | {"eps_root": magnitudes(1e-12, 1e-4)}
decay = {"weight_decay": magnitudes(1e-4, 1e-1)}

TORCH = {
    "rprop": Preset(
        fo.Rprop.torch,
        lambda optim, params, given: optim.Rprop(
            params,
            lr=given["learning_rate"],
            etas=(given["shrink"], given["grow"]),
            step_sizes=(given["min_step"], given["max_step"]),
            maximize=given["maximize"],
        ),
        steps | {"maximize": yes_or_no},
    ),
}

KERAS = {
    "lion": Preset(
        fo.Lion.keras,
        lambda optimizers, given: optimizers.Lion(
            learning_rate=given["learning_rate"],
            beta_1=given["beta1"],
            beta_2=given["beta2"],
            weight_decay=given["weight_decay"] or None,
        ),
        rate | betas | decay,
    ),
}


def theirs(name, **other_names):
    """optax's function *name*, with our names of the parameters put into its own."""
    names = {"beta1": "b1", "beta2": "b2", "beta3": "b3"} | other_names

    def make(optax, given):
        function = getattr(optax, name, None) or getattr(optax.contrib, name)
        return function(**{names.get(key, key): value for key, value in given.items()})

    return make


OPTAX = {
    "sign_sgd": Preset(fo.SignSGD.optax, theirs("sign_sgd"), rate),
    "signum": Preset(fo.Signum.optax, theirs("signum"), rate | {"beta": between(0.1, 0.95)}),
    "rprop": Preset(
        fo.Rprop.optax,
        theirs(
            "rprop",
            shrink="eta_minus",
            grow="eta_plus",
            min_step="min_step_size",
            max_step="max_step_size",
        ),
        steps,
    ),
    "lion": Preset(fo.Lion.optax, theirs("lion"), rate | betas | decay),
    "adabelief": Preset(
        fo.AdaBelief.optax, theirs("adabelief"), rate | betas | epsilons | {"nesterov": yes_or_no}
    ),
    "yogi": Preset(fo.Yogi.optax, theirs("yogi"), rate | betas | epsilon),
    "adan": Preset(
        fo.Adan.optax, theirs("adan"),
        rate | betas | {"beta3": between(0.9, 0.999)} | epsilons | decay,
    ),
    "adopt": Preset(
        fo.ADOPT.optax, theirs("adopt", clipping="use_clipping"),
        rate | betas | {"eps": magnitudes(1e-6, 1e-3), "nesterov": yes_or_no}
        | {"clipping": yes_or_no},
    ),
    "ademamix": Preset(
        # At higher rates some runs cycle around a minimum, and their roundings grow faster than
        # those of the start do: optax's path is then as far from the exact one as ours.
        fo.AdEMAMix.optax, theirs("ademamix", mix="alpha"),
        {"learning_rate": magnitudes(1e-4, 1e-2)} | betas
        | {"beta3": between(0.9, 0.9999), "mix": between(0.0, 8.0)}
        | epsilons | decay,
    ),
}  # fmt: skip

every_surface = pytest.mark.parametrize("surface", SURFACES)


@every_surface
@pytest.mark.parametrize("name", TORCH)
def test_torch(name, surface, torch):
    assert_parity(TORCH[name], surface, lambda *call: torch_path(torch, *call))


@every_surface
@pytest.mark.parametrize("name", KERAS)
def test_keras(name, surface, keras):
    assert_parity(KERAS[name], surface, lambda *call: keras_path(keras, *call))


@every_surface
@pytest.mark.parametrize("name", OPTAX)
def test_optax(name, surface, jax, optax):
    assert_parity(OPTAX[name], surface, lambda *call: optax_path(jax, optax, *call))
