"""RULE with its parameters, and SURFACE, for every subcommand that takes them."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from fastopt import rules
from fastopt.cli import Options, Parser, UsageError, number, refusals
from fastopt.commands.entries import option
from fastopt.commands.objectives import declare_objective, declare_surface
from fastopt.names import look_up, suggestion
from fastopt.rules.base import aliases, registry, summary_line

EITHER_ORDER = ("basin", "sweep")
"""Subcommands that take RULE and SURFACE in either order."""


def declare_problem(parser: Parser) -> None:
    """Add RULE, SURFACE, and the parameters of all rules as options."""
    declare_positions(parser)
    declare_parameters(parser, declare_objective)


def declare_positions(parser: Parser) -> None:
    """Add RULE and SURFACE."""
    parser.usage = "%(prog)s RULE SURFACE [options]"  # all of them would fill the screen
    parser.add_argument("rule", metavar="RULE", help="such as adam; all: fastopt list")
    parser.add_argument("surface", metavar="SURFACE", help="such as rosenbrock, or a formula")


def declare_parameters(parser: Parser, declare: Callable[[Parser], None] = declare_surface) -> None:
    """Add the parameters of all rules as options, and by *declare* those of surfaces."""
    parser.set_defaults(refuse=_refuse)
    parser.help_for = partial(_rule_help, parser)
    _declare_parameters(parser, list(registry.values()))
    declare(parser)


def declare_problems(parser: Parser, refuse: Callable[[Options, str], NoReturn]) -> None:
    """Add RULES, SURFACE, and the parameters of all rules as options, for several rules."""
    parser.usage = "%(prog)s RULE[,RULE...] SURFACE [options]"
    parser.set_defaults(refuse=refuse)
    parser.add_argument(
        "rules", metavar="RULES", help="such as adam,momentum or adam:learning_rate=0.1,adam"
    )
    parser.add_argument("surface", metavar="SURFACE", help="such as rosenbrock, or a formula")
    _declare_parameters(parser, list(registry.values()))
    declare_objective(parser)


def put_in_order(options: Options) -> None:
    """Exchange RULE and SURFACE where they came the other way round: no name is both."""
    if _is_rule(options.surface) and not _is_rule(options.rule):
        options.rule, options.surface = options.surface, options.rule


def _is_rule(name: str | None) -> bool:
    try:
        look_up("rule", name or "", registry | aliases)
    except ValueError:
        return False
    return True


def given_parameters(options: Options) -> dict[str, Any]:
    """The parameters of the rule that were given as options."""
    names = dict.fromkeys(n for cls in registry.values() for n in cls.parameter_names())
    values = {name: getattr(options, _destination(name)) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def chosen_rule(options: Options) -> rules.Rule:
    """The rule that was asked for."""
    with refusals(options.command):
        classes = classes_of(options.rule, options.rule_inner)
    given = given_parameters(options)
    for name in given:
        if not any(name in cls.parameter_names() for cls in classes):
            _refuse(options, option(name))
    with refusals(options.command):
        return build_rule(classes, given)


def classes_of(name: str, inner: str | None = None) -> list[type[rules.Rule]]:
    """The rule of that name, and the one that it is to be built around, if it is."""
    table = registry | aliases
    cls = look_up("rule", name, table)
    fields = fields_of([cls]).values()
    defaults: list[Any] = [field.default for field in fields if "rule" in field.metadata]
    return [cls, *(look_up("rule", inner, table) if inner else type(rule) for rule in defaults)]


def fields_of(classes: list[type[rules.Rule]]) -> dict[str, Any]:
    """The parameters of these rules, as fields of dataclasses; the first rule's come first."""
    found: dict[str, Any] = {}
    for cls in classes:
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            found.setdefault(field.name, field)
    return found


def options_of(classes: list[type[rules.Rule]]) -> dict[str, str]:
    """The parameters of these rules, as options."""
    return {name: option(name) for name in fields_of(classes)}


def build_rule(classes: list[type[rules.Rule]], given: dict[str, Any]) -> rules.Rule:
    """A rule of :func:`classes_of`; what the first does not take goes to the one inside."""
    cls, *inside = classes
    own = {name: value for name, value in given.items() if name in cls.parameter_names()}
    if inside and ("inner" in own or len(own) < len(given)):
        others = {name: value for name, value in given.items() if name not in own}
        own["inner"] = inside[0](**others)
    return cls(**own)


# Of more rules than this the help gives the number: ``fastopt run RULE --help`` tells.
_FEW = 4


def _destination(name: str) -> str:
    return f"rule_{name}"  # apart from the subcommand's own options


def _declare_parameters(parser: Parser, classes: list[type[rules.Rule]]) -> None:
    group = parser.add_argument_group("parameters of the rule")
    for name, field in fields_of(classes).items():
        takers = [cls for cls in classes if name in cls.parameter_names()]
        options: dict[str, Any] = {"type": number, "metavar": "X"}
        if "flag" in field.metadata:
            options = {"action": argparse.BooleanOptionalAction}
        if "rule" in field.metadata:
            options = {"metavar": "RULE"}
        if len(classes) == 1:
            options["help"] = f"{_requirement(field)} (default: {field.default})".strip()
        elif len(takers) > _FEW:
            options["help"] = f"of {len(takers)} of the {len(classes)} rules"
        else:
            options["help"] = "of " + ", ".join(sorted(cls.name for cls in takers))
        group.add_argument(option(name), dest=_destination(name), default=None, **options)


def _requirement(field: Any) -> str:
    if "rule" in field.metadata:
        return "the rule inside, whose parameters are options too"
    return "" if "flag" in field.metadata else field.metadata["interval"].text


def _refuse(options: Options, unknown: str) -> NoReturn:
    """Refuse an option, with those that the rule has."""
    if options.command in EITHER_ORDER:
        put_in_order(options)
    try:
        classes = classes_of(options.rule, options.rule_inner)
    except ValueError:  # what stands for RULE may be the value of the unknown option
        classes, whose, has = list(registry.values()), "", ""
    else:
        whose = f" for {' around '.join(cls.name for cls in classes)}"
        lists = (
            f"{cls.name} has {', '.join(map(option, cls.parameter_names()))}" for cls in classes
        )
        has = f" {'; '.join(lists)}"
    near = suggestion(unknown, [*options_of(classes).values(), *options.own], cutoff=0.75)
    hint = f" {near}" if near.startswith("did") else ""
    name = f"fastopt {options.command}"
    raise UsageError(f"{name}: {unknown}: no such option{whose};{hint}{has} (see {name} --help)")


def _rule_help(parser: Parser, options: Options) -> Parser:
    """Whose help to show: the rule's, where one was named before ``--help``."""
    if getattr(options, "rule", None) is None:
        return parser
    command = parser.prog.rpartition(" ")[2]
    if command in EITHER_ORDER:
        put_in_order(options)
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
