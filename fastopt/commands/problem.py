"""RULE and SURFACE with their parameters, for every subcommand that takes them."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from fastopt import rules, surfaces
from fastopt.cli import Options, Parser, UsageError, count, number, positive, refusals, vector
from fastopt.names import look_up, suggestion
from fastopt.rules.base import aliases, registry, summary_line
from fastopt.surfaces.base import registry as surface_classes

EITHER_ORDER = ("basin", "sweep")
"""Subcommands that take RULE and SURFACE in either order."""

# Surfaces are named in letters, digits and underscores; all else is a formula.
_NAME = re.compile(r"[\w-]+")


def declare_problem(parser: Parser) -> None:
    """Add RULE, SURFACE, and the parameters of all rules as options."""
    declare_positions(parser)
    declare_parameters(parser)


def declare_positions(parser: Parser) -> None:
    """Add RULE and SURFACE."""
    parser.usage = "%(prog)s RULE SURFACE [options]"  # all of them would fill the screen
    parser.add_argument("rule", metavar="RULE", help="such as adam; all: fastopt list")
    parser.add_argument("surface", metavar="SURFACE", help="such as rosenbrock, or a formula")


def declare_parameters(parser: Parser) -> None:
    """Add the parameters of all rules and surfaces as options."""
    parser.set_defaults(refuse=_refuse)
    parser.help_for = partial(_rule_help, parser)
    _declare_parameters(parser, list(registry.values()))
    declare_surface(parser)


def declare_problems(parser: Parser, refuse: Callable[[Options, str], NoReturn]) -> None:
    """Add RULES, SURFACE, and the parameters of all rules as options, for several rules."""
    parser.usage = "%(prog)s RULE[,RULE...] SURFACE [options]"
    parser.set_defaults(refuse=refuse)
    parser.add_argument(
        "rules", metavar="RULES", help="such as adam,momentum or adam:learning_rate=0.1,adam"
    )
    parser.add_argument("surface", metavar="SURFACE", help="such as rosenbrock, or a formula")
    _declare_parameters(parser, list(registry.values()))
    declare_surface(parser)


def declare_surface(parser: Parser) -> None:
    """Add what a surface takes as options."""
    group = parser.add_argument_group("the surface")
    kinds: dict[str, dict[str, Any]] = {
        "int": {"type": count, "metavar": "N"},
        "float": {"type": number, "metavar": "X"},
        "A": {"type": _matrix, "metavar": "A", "help": 'of {}: "1,0;1,1;1,2"'},
        "b": {"type": vector, "metavar": "B", "help": 'of {}: "1,3,5"'},
        "y": {"type": _number_or_vector, "metavar": "Y", "help": 'of {}: "0,0,1", or a number'},
        "matrix": {"type": _matrix, "metavar": "A", "help": 'of {}: "2,0;0,1"'},
        "minimizer": {"type": vector, "metavar": "M", "help": 'of {}: "1,-2"'},
        "dim": {"type": positive, "metavar": "N", "help": "number of coordinates"},
    }
    for name, takers in _surface_parameters().items():
        (annotation, *_) = [option.annotation for option in takers.values()]
        whose = " and ".join(sorted(takers))
        chosen = {"help": "of {}"} | (kinds[name] if name in kinds else kinds[annotation])
        chosen["help"] = chosen["help"].format(whose)
        group.add_argument(_surface_option(name), dest=_of_surface(name), **chosen)


# Of options that have no default.
_EXAMPLES = {"matrix": '"2,0;0,1"', "A": '"1,0;1,1;1,2"', "b": "1,3,5", "y": "0,0,1"}


def _surface_parameters() -> dict[str, dict[str, inspect.Parameter]]:
    """The parameters of all surfaces, and of which surfaces they are."""
    found: dict[str, dict[str, inspect.Parameter]] = {}
    for surface, cls in surface_classes.items():
        for name, option in inspect.signature(cls).parameters.items():
            found.setdefault(name, {})[surface] = option
    return found


def _surface_option(name: str) -> str:
    """``--dim``; ``--surface-l2`` where a rule has a parameter of that name."""
    of_rules = {own for rule in registry.values() for own in rule.parameter_names()}
    return _option(f"surface_{name}" if name in of_rules else name)


def _of_surface(name: str) -> str:
    return f"surface_{name}"  # apart from the rules' and the subcommand's own options


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
            _refuse(options, _option(name))
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
    return {name: _option(name) for name in fields_of(classes)}


def build_rule(classes: list[type[rules.Rule]], given: dict[str, Any]) -> rules.Rule:
    """A rule of :func:`classes_of`; what the first does not take goes to the one inside."""
    cls, *inside = classes
    own = {name: value for name, value in given.items() if name in cls.parameter_names()}
    if inside and ("inner" in own or len(own) < len(given)):
        others = {name: value for name, value in given.items() if name not in own}
        own["inner"] = inside[0](**others)
    return cls(**own)


def chosen_surface(options: Options) -> surfaces.Surface:
    """The surface that was asked for, by its name or as a formula."""
    given = {name: getattr(options, _of_surface(name)) for name in _surface_parameters()}
    given = {name: value for name, value in given.items() if value is not None}
    with refusals(options.command):
        if not _NAME.fullmatch(options.surface):
            if given:
                raise ValueError(
                    f"{_surface_option(next(iter(given)))}: a formula has no such option"
                )
            return surfaces.from_sympy(options.surface)
        cls = look_up("surface", options.surface, surface_classes)
        for name, option in inspect.signature(cls).parameters.items():
            if option.default is option.empty and name not in given:
                example = _EXAMPLES.get(name, "1")
                raise ValueError(
                    f"{cls.name} needs {_surface_option(name)}, such as "
                    f"{_surface_option(name)} {example}"
                )
        return surfaces.get(cls.name, **given)


def _number_or_vector(text: str) -> float | list[float]:
    return vector(text) if "," in text else number(text)


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
        group.add_argument(_option(name), dest=_destination(name), default=None, **options)


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
            f"{cls.name} has {', '.join(map(_option, cls.parameter_names()))}" for cls in classes
        )
        has = f" {'; '.join(lists)}"
    known = options_of(classes).values()
    near = suggestion(unknown, known)
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
