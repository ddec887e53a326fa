"""Files of maps and planes, which stand in the place of SURFACE and RULE."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastopt.cli import Options, Parser, UsageError

ENDING = ".npz"


def declare_saved(parser: Parser, *applies: str) -> None:
    """Say which options apply to a file too: by name, such as ``output``."""
    parser.set_defaults(given=partial(_given, parser, ("command", "surface", "rule", *applies)))


def saved_file(options: Options, what: str) -> str | None:
    """The file that was given instead of SURFACE and RULE, without options that need these."""
    names = [options.surface, options.rule]
    files = [name for name in names if name is not None and name.endswith(ENDING)]
    said = f"fastopt {options.command}"
    if not files:
        if None in names:
            raise UsageError(
                f"{said}: needs SURFACE and RULE, or a saved {what} (FILE.npz) "
                f"(see fastopt {options.command} --help)"
            )
        return None
    others = [name for name in names if name is not None and name != files[0]]
    if others or (given := options.given(options)):
        unfit = repr(others[0]) if others else given[0]
        raise UsageError(
            f"{said}: {unfit}: does not go with {files[0]}, a saved {what}; "
            "give SURFACE and RULE instead"
        )
    return files[0]


def _given(parser: Parser, applies: tuple[str, ...], options: Options) -> list[str]:
    """The options that were given, but for those that apply to a file."""
    given = []
    for name, value in vars(options).items():
        default = parser.get_default(name)
        same = value is default or (isinstance(value, int | float | str) and value == default)
        if name not in applies and not same:
            given.append(_spelt(parser, name))
    return given


def _spelt(parser: Parser, name: str) -> str:
    actions: list[Any] = parser._actions  # argparse has no public list of them
    return next((a.option_strings[0] for a in actions if a.dest == name), name)
