"""``NAME:parameter=value:...``: rules, spectra and noise as they are given on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from fastopt.names import suggestion

# Colons separate, and commas do before another ``parameter=``.
_BETWEEN_PARAMETERS = re.compile(r":|,(?=[^,:=]*=)")
_BETWEEN_ENTRIES = re.compile(r",(?![^,:=]*=)")
_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


def entries(text: str) -> list[str]:
    """What ``adam:learning_rate=0.1,beta1=0.8,sgd`` lists: two rules."""
    return _BETWEEN_ENTRIES.split(text)


def entry(text: str, example: str) -> tuple[str, dict[str, str]]:
    """The name and the parameters of ``adam:learning_rate=0.1:beta1=0.8``."""
    name, *pairs = (part.strip() for part in _BETWEEN_PARAMETERS.split(text))
    given: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(
                f"{text}: {pair!r}: must be a parameter and its value, such as {example}"
            )
        given[key.strip().replace("-", "_")] = value.strip()
    return name, given


def check_known(text: str, name: str, given: Mapping[str, str], known: Iterable[str]) -> None:
    """Refuse parameters that *name* does not have."""
    known = list(known)
    for key in given:
        if key not in known:
            hint = suggestion(key, known)
            raise ValueError(f"{text}: {key!r}: {name} has no such parameter; {hint}")


def number_of(text: str, key: str, value: str) -> float:
    """The value of a parameter."""
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{text}: {key}={value}: must be a number") from None


def numbers_of(text: str, key: str, value: str) -> float | list[float]:
    """The value of a parameter that may be several numbers."""
    found = [number_of(text, key, part) for part in value.split(",")]
    return found if len(found) > 1 else found[0]


def flag_of(text: str, key: str, value: str) -> bool:
    """The value of a parameter that is either of two."""
    if value.lower() not in _FLAGS:
        raise ValueError(f"{text}: {key}={value}: must be true or false")
    return _FLAGS[value.lower()]


def option(name: str) -> str:
    """The option that is called after a parameter."""
    return f"--{name.replace('_', '-')}"
