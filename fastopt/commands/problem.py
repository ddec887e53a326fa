"""RULE and SURFACE with their parameters, for every subcommand that takes them."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
from functools import partial
from typing import Any, NoReturn

from fastopt import rules, surfaces
from fastopt.cli import Options, Parser, UsageError, number, positive, refusals, vector
from fastopt.names import look_up, suggestion
from fastopt.rules.base import aliases, registry, summary_line
from fastopt.surfaces.base import registry as surface_classes

_SURFACE_OPTIONS = ("dim", "matrix", "minimizer")


def declare_problem(parser: Parser) -> None:
    """Add RULE, SURFACE, and the parameters of all rules as options."""
    parser.usage = "%(prog)s RULE SURFACE [options]"  # all of them would fill the screen
    parser.set_defaults(refuse=_refuse)
    parser.help_for = partial(_rule_help, parser)
    parser.add_argument("rule", metavar="RULE", help="such as adam; all: fastopt list")
    parser.add_argument("surface", metavar="SURFACE", help="such as rosenbrock")
    _declare_parameters(parser, list(registry.values()))
    group = parser.add_argument_group("the surface")
    group.add_argument("--dim", type=positive, metavar="N", help="number of coordinates")
    group.add_argument("--matrix", type=_matrix, metavar="A", help='of quadratic: "2,0;0,1"')
    group.add_argument("--minimizer", type=vector, metavar="M", help='of quadratic: "1,-2"')


def chosen_rule(options: Options) -> rules.Rule:
    """The rule that was asked for."""
    with refusals(options.command):
        cls = look_up("rule", options.rule, registry | aliases)
    given = {}
    for name in dict.fromkeys(n for other in registry.values() for n in other.parameter_names()):
        value = getattr(options, _destination(name))
        if value is not None:
            given[name] = value
            if name not in cls.parameter_names():
                _refuse(options, _option(name))
    with refusals(options.command):
        return cls(**given)


def chosen_surface(options: Options) -> surfaces.Surface:
    """The surface that was asked for."""
    with refusals(options.command):
        cls = look_up("surface", options.surface, surface_classes)
        given = {
            name: getattr(options, name)
            for name in _SURFACE_OPTIONS
            if getattr(options, name) is not None
        }
        for name, option in inspect.signature(cls).parameters.items():
            if option.default is option.empty and name not in given:
                raise ValueError(f'{cls.name} needs --{name}, such as --{name} "2,0;0,1"')
        return surfaces.get(cls.name, **given)


def _matrix(text: str) -> list[list[float]]:
    rows = [vector(row) for row in text.split(";")]
    if len({len(row) for row in rows}) > 1:
        raise argparse.ArgumentTypeError(f"{text!r}: the rows must be of one length")
    return rows


# Of more rules than this the help gives the number: ``fastopt run RULE --help`` tells.
_FEW = 4


def _destination(name: str) -> str:
    return f"rule_{name}"  # apart from the subcommand's own options


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _declare_parameters(parser: Parser, classes: list[type[rules.Rule]]) -> None:
    group = parser.add_argument_group("parameters of the rule")
    fields: dict[str, Any] = {}
    takers: dict[str, list[type[rules.Rule]]] = {}
    for cls in classes:
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            fields.setdefault(field.name, field)
            takers.setdefault(field.name, []).append(cls)
    for name, field in fields.items():
        options: dict[str, Any] = {"type": number, "metavar": "X"}
        if "flag" in field.metadata:
            options = {"action": argparse.BooleanOptionalAction}
        if len(classes) == 1:
            requirement = "" if "flag" in field.metadata else field.metadata["interval"].text
            options["help"] = f"{requirement} (default: {field.default})".strip()
        elif len(takers[name]) > _FEW:
            options["help"] = f"of {len(takers[name])} of the {len(classes)} rules"
        else:
            options["help"] = "of " + ", ".join(sorted(cls.name for cls in takers[name]))
        group.add_argument(_option(name), dest=_destination(name), default=None, **options)


def _refuse(options: Options, unknown: str) -> NoReturn:
    """Refuse an option, with those that the rule has."""
    try:
        cls = look_up("rule", options.rule, registry | aliases)
    except ValueError:  # what stands for RULE may be the value of the unknown option
        classes, whose, has = list(registry.values()), "", ""
    else:
        classes, whose = [cls], f" for {cls.name}"
        has = f" {cls.name} has {', '.join(map(_option, cls.parameter_names()))}"
    known = {_option(name) for other in classes for name in other.parameter_names()}
    near = suggestion(unknown, known)
    hint = f" {near}" if near.startswith("did") else ""
    name = f"fastopt {options.command}"
    raise UsageError(f"{name}: {unknown}: no such option{whose};{hint}{has} (see {name} --help)")


def _rule_help(parser: Parser, options: Options) -> Parser:
    """Whose help to show: the rule's, where one was named before ``--help``."""
    if getattr(options, "rule", None) is None:
        return parser
    command = parser.prog.rpartition(" ")[2]
    with refusals(command):
        cls = look_up("rule", options.rule, registry | aliases)
    own = Parser(
        prog=f"{parser.prog} {cls.name}",
        usage="%(prog)s SURFACE [options]",
        description=summary_line(cls),
        epilog=f"all other options: {parser.prog} --help",
    )
    _declare_parameters(own, [cls])
    return own
