"""From which starts and until when to run, and pictures: for subcommands that run batches."""

from __future__ import annotations

import importlib.util
import inspect
import math
from pathlib import Path
from typing import Any

import numpy as np

import fastopt as fo
from fastopt import memory
from fastopt.cli import Options, Parser, UsageError, count, positive, refusals, vector
from fastopt.commands.entries import check_known, entry, flag_of, numbers_of
from fastopt.commands.running import checked_output, chosen_stop, declare_running, declare_stop
from fastopt.ensembles import Objective
from fastopt.names import look_up

START_STD = 1.0
"""Of starts on ensembles, from the minimum, in each coordinate."""
_STARTS = 10_000
_PICTURES = (".png", ".pdf", ".svg")


def declare_conditions(parser: Parser) -> Any:
    """Add the starts, when a run ends, and how to run; returns the last group, to add to."""
    group = parser.add_argument_group("the starts, and what is random in the runs")
    starts = group.add_mutually_exclusive_group()
    starts.add_argument(
        "--starts",
        type=positive,
        metavar="N",
        help="uniform on the bounds (default: 10,000); on each surface of an ensemble, normal "
        "about its minimum with standard deviation 1 (default: 1)",
    )
    starts.add_argument(
        "--start", type=vector, metavar="X,Y", action="append", help="this one; can be repeated"
    )
    group.add_argument(
        "--seed", type=count, default=0, metavar="N", help="of starts and noise (default: 0)"
    )
    group.add_argument(
        "--noise",
        metavar="NAME[:PARAMETER=X...]",
        help=f"in the gradient, such as gaussian:std=0.1; there are {', '.join(_noises())}",
    )
    group = declare_stop(parser)
    group.add_argument("--no-stop", action="store_true", help="take all steps, unless it diverges")
    group = declare_running(parser)
    group.add_argument(
        "--path",
        choices=["eigenbasis", "shared", "own"],
        help="how to run on quadratics: in the eigenbasis, with a matrix that runs share, or with "
        "one for each run (default: the cheapest)",
    )
    return group


def chosen_starts(options: Options, surface: Objective) -> Any:
    """The starts that were asked for."""
    if options.start is None:
        if isinstance(surface, fo.RandomQuadratics):
            return _ensemble_starts(options, surface)
        n = _STARTS if options.starts is None else options.starts
        low, high = surface.bounds.T
        with refusals(options.command):
            return fo.starts.Uniform(low, high, n, options.seed)
    for start in options.start:
        if len(start) != surface.dim:
            raise UsageError(
                f"fastopt {options.command}: --start {','.join(f'{x:g}' for x in start)}: has "
                f"{len(start)} coordinates, but {surface!r} has {surface.dim}"
            )
    return np.array(options.start)


def _ensemble_starts(options: Options, ensemble: fo.RandomQuadratics) -> Any:
    """Starts of their own for each member, shape (count, n, dim)."""
    n = options.starts or 1
    shape = (ensemble.count, n, ensemble.dim)
    with refusals(options.command):
        memory.require(
            2 * 8 * math.prod(shape), "a batch of starts", "ask fewer, or a smaller ensemble"
        )
        away = fo.starts.Normal(0.0, START_STD, shape[0] * n, options.seed, dim=ensemble.dim)
        return np.asarray(away).reshape(shape) + ensemble.minimizers[:, None]


def prepare(options: Options, rule: fo.rules.Rule, surface: Objective) -> None:
    """Compile what *rule* needs, and refuse what it cannot run under, before anything runs."""
    with refusals(options.command):
        fo.run(rule, surface, surface.usual_start, **(_conditions(options) | {"max_steps": 0}))


def run_as_chosen(
    options: Options, rule: fo.rules.Rule, surface: Objective, starts: Any, **others: Any
) -> fo.Runs:
    """Run *rule* under the conditions that were asked for, but for *others* of ``fo.run``."""
    shown = {"threads": options.threads, "progress": options.progress}
    with refusals(options.command):
        return fo.run(rule, surface, starts, **(_conditions(options) | shown | others))


def _conditions(options: Options) -> dict[str, Any]:
    return {
        "max_steps": options.max_steps,
        "stop": given_stop(options),
        "noise": chosen_noise(options),
        "seed": options.seed,
        "path": options.path,
        "dtype": options.dtype,
    }


def chosen_noise(options: Options) -> fo.noise.Noise | None:
    """The noise ``gaussian:std=0.1``."""
    if options.noise is None:
        return None
    text = options.noise
    name, given = entry(text, "std=0.1")
    make = look_up("noise", name, _noises())
    parameters = inspect.signature(make).parameters
    check_known(text, make.__name__, given, parameters)
    for key, parameter in parameters.items():
        if parameter.default is parameter.empty and key not in given:
            raise ValueError(f"{text}: needs {key}, such as {make.__name__}:{key}=1.5")
    kinds = {key: parameter.annotation for key, parameter in parameters.items()}
    noise: fo.noise.Noise = make(
        **{key: _of_kind(kinds[key], text, key, value) for key, value in given.items()}
    )
    return noise


def _noises() -> dict[str, Any]:
    """What makes noise, by name."""
    named = {name: getattr(fo.noise, name) for name in fo.noise.__all__}
    return {name: make for name, make in named.items() if inspect.isfunction(make)}


def _of_kind(kind: str, text: str, key: str, value: str) -> Any:
    if kind == "bool":
        return flag_of(text, key, value)
    if "str" in kind:
        return value
    found = numbers_of(text, key, value)
    return int(found) if kind == "int" and isinstance(found, float) and found % 1 == 0 else found


def checked_picture(options: Options, option: str, name: str) -> Path:
    """The path of a picture, refused as well if nothing can draw it."""
    path = checked_output(options, option, name, _PICTURES)
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(f"fastopt {options.command}: needs matplotlib; pip install matplotlib")
    return path


def given_stop(options: Options) -> fo.Stop | None:
    """The criteria that were asked for, or none if all steps are to be taken."""
    if not options.no_stop:
        return chosen_stop(options)
    limits = (options.stop_gradient, options.stop_value, options.stop_distance, options.escape)
    if limits != (None,) * 4:
        raise ValueError("--no-stop goes with no --stop-... option, nor with --escape")
    return None
