"""The command ``fastopt``: what its subcommands share.

A subcommand is one function in a module of ``fastopt.commands`` (found there by itself),
decorated with :func:`command`: its docstring is its help, the decorator's argument declares
its options, and it prints its result.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import math
import os
import pkgutil
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from fastopt.names import suggestion

Options = argparse.Namespace
_INTERRUPTED, _BAD_INPUT, _BROKEN_PIPE = 130, 2, 141
_NEGATIVE = re.compile(r"-(\.?\d|inf|nan)")


class UsageError(Exception):
    """What was typed cannot be done; the message is one line."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and which does not guess abbreviated options."""

    def __init__(self, **options: Any):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        for part in ("description", "epilog"):
            options[part] = _fill(options.get(part) or "")
        super().__init__(allow_abbrev=False, add_help=False, **options)
        self.help_for: Callable[[Options], Parser] = lambda options: self
        """Whose help to show, by what was parsed before ``--help``."""
        self.add_argument("-h", "--help", action=_Help, help="show this and exit")

    def own_options(self) -> list[str]:
        """The options by name, but for those of rules and surfaces, which have a prefix."""
        return [
            text
            for action in self._actions
            for text in action.option_strings
            if text.startswith("--") and not action.dest.startswith(("rule_", "surface_"))
        ]

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message} (see {self.prog} --help)")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # Argparse would list all choices, and not say which one is near.
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            near = suggestion(str(value), action.choices)
            raise UsageError(f"{self.prog}: {value!r}: no such command; {near}")
        super()._check_value(action, value)


class _Help(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, help: str):
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: Any, namespace: Options, *_: Any) -> None:
        parser.help_for(namespace).print_help()
        parser.exit()


def _fill(text: str) -> str:
    """Wrap paragraphs, but leave those with indented lines (examples) as they are."""
    paragraphs = [
        part if "\n " in part else textwrap.fill(part, 80) for part in text.strip().split("\n\n")
    ]
    return "\n\n".join(paragraphs)


_commands: dict[str, tuple[Callable[[Parser], None], Callable[[Options], None]]] = {}


def command(declare: Callable[[Parser], None]) -> Callable[..., Any]:
    """Make a function of the parsed options a subcommand of its name."""

    def register(function: Callable[[Options], None]) -> Callable[[Options], None]:
        _commands[function.__name__.rstrip("_")] = declare, function
        return function

    return register


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        What comes after ``fastopt``; by default what was typed.

    Returns
    -------
    int
        0, or 2 for bad input, 130 for Ctrl-C, 141 where the reader of a pipe went away.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show x² shows x?
    warnings.formatwarning = lambda message, *_, **__: f"fastopt: {message}\n"
    try:
        _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
        return 0
    except SystemExit as end:  # argparse ends --help so
        return int(end.code or 0)
    except UsageError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return _BAD_INPUT
    except KeyboardInterrupt:
        print("fastopt: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Python flushes once more when it ends, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE


def _dispatch(arguments: list[str]) -> None:
    parser = _parser()
    options, unknown = parser.parse_known_args(_join_negative(arguments))
    if "function" not in options:
        if unknown:
            raise UsageError(f"fastopt: {unknown[0]}: no such option (see fastopt --help)")
        parser.print_help()
        return
    if unknown:
        if not unknown[0].startswith("-"):
            name = f"fastopt {options.command}"
            raise UsageError(f"{name}: {unknown[0]!r}: one argument too many (see {name} --help)")
        options.refuse(options, unknown[0].partition("=")[0])
    options.function(options)


def _parser() -> Parser:
    parser = Parser(
        prog="fastopt",
        description="Thousands to billions of independent optimiser runs at once.",
        epilog="for a first look: fastopt tour",
    )
    from fastopt import __version__, commands

    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}")
    parser.add_argument("--version", action="version", version=f"fastopt {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    for name, (declare, function) in sorted(_commands.items()):
        summary, _, rest = (inspect.getdoc(function) or "").partition("\n")
        sub = subparsers.add_parser(
            name,
            help=summary[0].lower() + summary[1:].rstrip("."),
            description=summary,
            epilog=rest,
        )
        sub.set_defaults(command=name, function=function, refuse=_refuse)
        declare(sub)
        sub.set_defaults(own=sub.own_options())
    return parser


def _refuse(options: Options, unknown: str) -> NoReturn:
    name = f"fastopt {options.command}"
    near = suggestion(unknown, options.own, cutoff=0.75)
    hint = f"; {near}" if near.startswith("did") else ""
    raise UsageError(f"{name}: {unknown}: no such option{hint} (see {name} --help)")


def _join_negative(arguments: list[str]) -> list[str]:
    """``--start -7,2`` as ``--start=-7,2``, which argparse does not take for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and re.fullmatch(r"--[^=]+", joined[-1]) and _NEGATIVE.match(argument):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """Turn what fastopt refuses into one line; to stand around its calls alone."""
    try:
        yield
    except (TypeError, ValueError, MemoryError) as error:
        raise UsageError(f"fastopt {name}: {error}") from error
    except OSError as error:
        text = f"{error.filename}: {error.strerror}" if error.filename else error
        raise UsageError(f"fastopt {name}: {text}") from error


def count(text: str) -> int:
    """A whole number, also as ``1e6`` or ``100_000``."""
    try:
        number = float(text)
        if number != int(number):
            raise ValueError
        return int(text) if text.lstrip("+-").replace("_", "").isdigit() else int(number)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r}: must be a whole number") from None


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if (value := count(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: must be at least 1")
    return value


def number(text: str) -> float:
    """A number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: must be a number") from None


def vector(text: str) -> list[float]:
    """Numbers, separated by commas."""
    return [number(part) for part in text.split(",")]


def print_json(value: Any) -> None:
    """Print *value* as JSON, null for what is not a finite number."""
    print(json.dumps(_plain(value), indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # of NumPy
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    known = value is None or isinstance(value, bool | int | float | str)
    return value if known else repr(value)  # such as a rule inside another
