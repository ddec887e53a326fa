"""``fastopt info``."""

from __future__ import annotations

from fastopt.cli import Options, Parser, command, print_json


def _declare(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print it as JSON, sizes in bytes")


@command(_declare)
def info(options: Options) -> None:
    """Versions, processor, vector width, memory, and what is compiled.

    example:
      fastopt info --json
    """
    from fastopt.info import collect, describe

    facts = collect()
    if options.json:
        print_json(facts)
    else:
        print("\n".join(describe(facts)))
