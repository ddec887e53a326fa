"""SURFACE with its parameters: a surface, a formula or an ensemble."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Mapping
from typing import Any

from fastopt import ensembles, spectra, surfaces
from fastopt.cli import Options, Parser, count, number, positive, refusals, vector
from fastopt.commands.entries import check_known, entry, number_of, numbers_of, option
from fastopt.ensembles import Objective, RandomQuadratics
from fastopt.names import look_up
from fastopt.rules.base import registry as rules
from fastopt.spectra import Spectrum
from fastopt.surfaces import Surface
from fastopt.surfaces.base import registry as surface_classes

# Surfaces are named in letters, digits and underscores; all else is a formula.
_NAME = re.compile(r"[\w-]+")
# What an ensemble has where nothing is said.
_FIRST_TRY = {"dim": 100, "count": 1000}
_OBJECTIVES: dict[str, Any] = {**surface_classes, **ensembles.registry}


def declare_surface(parser: Parser) -> None:
    """Add what a surface takes as options."""
    _declare(parser.add_argument_group("the surface"), surface_classes)


def declare_objective(parser: Parser) -> None:
    """Add what a surface or an ensemble takes as options."""
    _declare(parser.add_argument_group("the surface, or ensemble of surfaces"), _OBJECTIVES)


def _declare(group: Any, classes: Mapping[str, Any]) -> None:
    given = {"type": vector, "metavar": "M", "help": 'of {}: "1,-2"'}
    drawn = {
        "type": _minimizer,
        "metavar": "M",
        "help": 'of quadratic: "1,-2"; of random_quadratics: normal (default: 0)',
    }
    first = ", ".join(f"{key} {value:,}" for key, value in _FIRST_TRY.items())
    kinds: dict[str, dict[str, Any]] = {
        "int": {"type": count, "metavar": "N"},
        "float": {"type": number, "metavar": "X"},
        "A": {"type": _matrix, "metavar": "A", "help": 'of {}: "1,0;1,1;1,2"'},
        "b": {"type": vector, "metavar": "B", "help": 'of {}: "1,3,5"'},
        "y": {"type": _number_or_vector, "metavar": "Y", "help": 'of {}: "0,0,1", or a number'},
        "matrix": {"type": _matrix, "metavar": "A", "help": 'of {}: "2,0;0,1"'},
        "minimizer": given if classes is surface_classes else drawn,
        "dim": {"type": positive, "metavar": "N", "help": "number of coordinates"},
        "count": {
            "type": positive,
            "metavar": "N",
            "help": f"of {{}}: how many (by default {first})",
        },
        "spectrum": {
            "metavar": "NAME[:PARAMETER=X...]",
            "help": "of {}: such as log_uniform:condition=100 (the default); "
            "all: fastopt list spectra",
        },
        "rotation": {"metavar": "HOW", "help": "of {}: haar (the default) or axis"},
        "seed": {"type": count, "metavar": "N", "help": "of {} (default: 0)"},
    }
    for name, takers in _parameters(classes).items():
        (annotation, *_) = [parameter.annotation for parameter in takers.values()]
        chosen = {"help": "of {}"} | (kinds[name] if name in kinds else kinds[annotation])
        chosen["help"] = chosen["help"].format(" and ".join(sorted(takers)))
        group.add_argument(_option(name), dest=_of_surface(name), **chosen)


# Of options that have no default.
_EXAMPLES = {"matrix": '"2,0;0,1"', "A": '"1,0;1,1;1,2"', "b": "1,3,5", "y": "0,0,1"}


def _parameters(classes: Mapping[str, Any]) -> dict[str, dict[str, inspect.Parameter]]:
    """The parameters of all these surfaces, and of which surfaces they are."""
    found: dict[str, dict[str, inspect.Parameter]] = {}
    for surface, cls in classes.items():
        for name, parameter in inspect.signature(cls).parameters.items():
            found.setdefault(name, {})[surface] = parameter
    return found


def _of_surface(name: str) -> str:
    return f"surface_{name}"  # apart from the rules' and the subcommand's own options


def _option(name: str) -> str:
    """``--dim``; ``--surface-l2`` where a rule, or the starts, have an option of that name."""
    taken = {"seed", *(own for rule in rules.values() for own in rule.parameter_names())}
    return option(_of_surface(name) if name in taken else name)


def _number_or_vector(text: str) -> float | list[float]:
    return vector(text) if "," in text else number(text)


def _matrix(text: str) -> list[list[float]]:
    rows = [vector(row) for row in text.split(";")]
    if len({len(row) for row in rows}) > 1:
        raise argparse.ArgumentTypeError(f"{text!r}: the rows must be of one length")
    return rows


def _minimizer(text: str) -> str | list[float]:
    return text if text.isalpha() else vector(text)


# -- what was asked for ------------------------------------------------------------------


def chosen_surface(options: Options) -> Surface:
    """The surface that was asked for, by its name or as a formula."""
    given = _given(options, surface_classes)
    with refusals(options.command):
        if options.surface in ensembles.registry:
            raise ValueError(f"{options.surface}: must be one surface, such as quadratic")
        return _surface(options.surface, given)


def chosen_objective(options: Options) -> Objective:
    """The surface that was asked for, or the ensemble."""
    given = _given(options, _OBJECTIVES)
    with refusals(options.command):
        if _NAME.fullmatch(options.surface):
            cls = look_up("surface", options.surface, _OBJECTIVES)
            if issubclass(cls, RandomQuadratics):
                return _ensemble(cls, given)
        return _surface(options.surface, given)


def described(objective: Objective) -> dict[str, Any]:
    """What it is, as JSON has it."""
    facts: dict[str, Any] = {"surface": objective.name, "dim": objective.dim}
    if isinstance(objective, RandomQuadratics):
        spectrum = repr(objective.spectrum)
        facts |= {"count": objective.count, "spectrum": spectrum, "rotation": objective.rotation}
        facts["surface_seed"] = objective.seed
    return facts


def _given(options: Options, classes: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: getattr(options, _of_surface(name)) for name in _parameters(classes)}
    return {name: value for name, value in given.items() if value is not None}


def _surface(text: str, given: dict[str, Any]) -> Surface:
    if not _NAME.fullmatch(text):
        if given:
            raise ValueError(f"{_option(next(iter(given)))}: a formula has no such option")
        return surfaces.from_sympy(text)
    cls = look_up("surface", text, surface_classes)
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.default is parameter.empty and name not in given:
            example = _EXAMPLES.get(name, "1")
            raise ValueError(f"{cls.name} needs {_option(name)}, such as {_option(name)} {example}")
    if isinstance(given.get("minimizer"), str):
        raise ValueError(f"--minimizer {given['minimizer']}: must be numbers, such as 1,-2")
    return surfaces.get(cls.name, **given)


def _ensemble(cls: type[RandomQuadratics], given: dict[str, Any]) -> RandomQuadratics:
    known = inspect.signature(cls).parameters
    for name in given:
        if name not in known:
            has = ", ".join(map(_option, known))
            raise ValueError(f"{_option(name)}: {cls.name} has no such option; it has {has}")
    if "spectrum" in given:
        given = given | {"spectrum": spectrum_of(given["spectrum"])}
    return cls(**(_FIRST_TRY | given))


def spectrum_of(text: str) -> Spectrum:
    """The spectrum ``log_uniform:condition=1e4``.

    What ``spiked:bulk=uniform:high=2`` has for no parameter of its own goes to the one inside.
    """
    name, given = entry(text, "condition=100")
    return _built(text, name, given, [])


def _built(text: str, name: str, given: dict[str, str], outer: list[str]) -> Spectrum:
    cls = look_up("spectrum", name, spectra.registry)
    defaults = {key: p.default for key, p in inspect.signature(cls).parameters.items()}
    inner = next((key for key, default in defaults.items() if isinstance(default, Spectrum)), None)
    rest = {key: value for key, value in given.items() if key not in defaults}
    own = {
        key: _value(text, key, value, defaults[key])
        for key, value in given.items()
        if key not in rest and key != inner
    }
    if inner is None:
        check_known(text, cls.name, rest, [*outer, *defaults])
    elif rest or inner in given:
        within = given.get(inner, defaults[inner].name)
        own[inner] = _built(text, within, rest, [*outer, *defaults])
    return cls(**own)


def _value(text: str, key: str, value: str, default: Any) -> Any:
    if isinstance(default, tuple):
        return numbers_of(text, key, value)
    given = number_of(text, key, value)
    return int(given) if isinstance(default, int) and given.is_integer() else given
