"""RULES, a list of rules with their parameters, for subcommands that take several."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple, NoReturn

from fastopt import rules
from fastopt.cli import Options, UsageError, refusals
from fastopt.commands.entries import check_known, entries, entry, flag_of, number_of
from fastopt.commands.problem import (
    build_rule,
    classes_of,
    fields_of,
    given_parameters,
    options_of,
)
from fastopt.names import suggestion
from fastopt.rules.base import registry


class _Entry(NamedTuple):
    """One rule of the list: what was typed, the rule's classes, and its own parameters."""

    text: str
    classes: list[type[rules.Rule]]
    own: dict[str, Any]

    def takes(self, name: str) -> bool:
        return any(name in cls.parameter_names() for cls in self.classes)


def chosen_rules(options: Options) -> dict[str, rules.Rule]:
    """The rules that were asked for, by what to call them."""
    with refusals(options.command):
        listed = [_entry(text, options.rule_inner) for text in entries(options.rules)]
    shared = given_parameters(options)
    for name in shared:
        if not any(one.takes(name) for one in listed):
            refuse(options, options_of(list(registry.values()))[name])
    names = Counter(one.classes[0].name for one in listed)
    chosen: dict[str, rules.Rule] = {}
    for one in listed:
        name = one.classes[0].name
        label = name if names[name] == 1 else one.text
        if label in chosen:
            raise UsageError(
                f"fastopt {options.command}: {label}: is there twice; give it other parameters, "
                f"such as {name}:learning_rate=0.1"
            )
        given = {key: value for key, value in shared.items() if one.takes(key)}
        with refusals(options.command):
            chosen[label] = build_rule(one.classes, given | one.own)
    return chosen


def _entry(text: str, inner: str | None) -> _Entry:
    """What ``adam:learning_rate=0.1:beta1=0.8`` says."""
    name, given = entry(text, "learning_rate=0.1")
    classes = classes_of(name, given.get("inner", inner))
    fields = fields_of(classes)
    check_known(text, name, given, fields)
    own = {key: _value(text, key, value, fields[key]) for key, value in given.items()}
    return _Entry(text.strip(), classes, own)


def _value(text: str, key: str, value: str, field: Any) -> Any:
    if "rule" in field.metadata:
        return value
    if "flag" in field.metadata:
        return flag_of(text, key, value)
    return number_of(text, key, value)


def refuse(options: Options, unknown: str) -> NoReturn:
    """Refuse an option, with the nearest of those that the rules have."""
    try:
        classes = [cls for text in entries(options.rules) for cls in _entry(text, None).classes]
    except ValueError:  # what stands for RULES may be the value of the unknown option
        classes = list(registry.values())
    near = suggestion(unknown, options_of(classes).values())
    hint = f"; {near}" if near.startswith("did") else ""
    name = f"fastopt {options.command}"
    raise UsageError(f"{name}: {unknown}: no such option of these rules{hint} (see {name} --help)")
