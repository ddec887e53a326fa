"""RULES, a list of rules with their parameters, for subcommands that take several."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple, NoReturn

from fastopt import rules
from fastopt.cli import Options, UsageError, refusals
from fastopt.commands.problem import (
    build_rule,
    classes_of,
    fields_of,
    given_parameters,
    options_of,
)
from fastopt.names import suggestion
from fastopt.rules.base import registry

_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


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
        entries = [_entry(text, options.rule_inner) for text in options.rules.split(",")]
    shared = given_parameters(options)
    for name in shared:
        if not any(entry.takes(name) for entry in entries):
            refuse(options, options_of(list(registry.values()))[name])
    names = Counter(entry.classes[0].name for entry in entries)
    chosen: dict[str, rules.Rule] = {}
    for entry in entries:
        name = entry.classes[0].name
        label = name if names[name] == 1 else entry.text
        if label in chosen:
            raise UsageError(
                f"fastopt {options.command}: {label}: is there twice; give it other parameters, "
                f"such as {name}:learning_rate=0.1"
            )
        given = {key: value for key, value in shared.items() if entry.takes(key)}
        with refusals(options.command):
            chosen[label] = build_rule(entry.classes, given | entry.own)
    return chosen


def _entry(text: str, inner: str | None) -> _Entry:
    """What ``adam:learning_rate=0.1:beta1=0.8`` says."""
    name, *pairs = (part.strip() for part in text.split(":"))
    given: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(
                f"{text}: {pair!r}: must be a parameter and its value, such as learning_rate=0.1"
            )
        given[key.strip().replace("-", "_")] = value.strip()
    classes = classes_of(name, given.get("inner", inner))
    fields = fields_of(classes)
    for key in given:
        if key not in fields:
            hint = suggestion(key, fields)
            raise ValueError(f"{text}: {key!r}: {name} has no such parameter; {hint}")
    own = {key: _value(text, key, value, fields[key]) for key, value in given.items()}
    return _Entry(text.strip(), classes, own)


def _value(text: str, key: str, value: str, field: Any) -> Any:
    if "rule" in field.metadata:
        return value
    if "flag" in field.metadata:
        if value.lower() not in _FLAGS:
            raise ValueError(f"{text}: {key}={value}: must be true or false")
        return _FLAGS[value.lower()]
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{text}: {key}={value}: must be a number") from None


def refuse(options: Options, unknown: str) -> NoReturn:
    """Refuse an option, with the nearest of those that the rules have."""
    try:
        classes = [cls for text in options.rules.split(",") for cls in _entry(text, None).classes]
    except ValueError:  # what stands for RULES may be the value of the unknown option
        classes = list(registry.values())
    near = suggestion(unknown, options_of(classes).values())
    hint = f"; {near}" if near.startswith("did") else ""
    name = f"fastopt {options.command}"
    raise UsageError(f"{name}: {unknown}: no such option of these rules{hint} (see {name} --help)")
