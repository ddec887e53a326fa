"""The formulas of docstrings, which are LaTeX, as text for a terminal."""

from __future__ import annotations

import re
import textwrap
import unicodedata

# Stands for a wide space until the others have been made single.
_WIDE = "\x00"
_GAP = "   "
_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "Delta": "Δ", "epsilon": "ε",
    "varepsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ",
    "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "psi": "ψ", "omega": "ω", "nabla": "∇", "partial": "∂", "sum": "Σ",
    "prod": "Π", "odot": "·", "cdot": "·", "times": "×", "infty": "∞", "le": "≤", "leq": "≤",
    "ge": "≥", "geq": "≥", "ne": "≠", "in": "∈", "pm": "±", "ldots": "...", "dots": "...",
    "top": "ᵀ", "to": "→", "gets": "←", "approx": "≈", "ell": "ℓ", "lVert": "‖", "rVert": "‖",
    "Vert": "‖", "|": "‖", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋",
    "quad": _WIDE, "qquad": _WIDE, ",": " ", ";": " ", ":": " ", "!": "", " ": " ",
    "left": "", "right": "", "big": "", "Big": "", "bigl": "", "bigr": "", "{": "{", "}": "}",
    "text": "", "mathrm": "", "operatorname": "", "mathbf": "", "displaystyle": "",
}  # fmt: skip
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}
_RAISED = dict(zip("0123456789+-=()nikt", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵏᵗ", strict=True))
_LOWERED = dict(zip("0123456789+-=()ijknt", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ᵢⱼₖₙₜ", strict=True))
_TOKEN = re.compile(r"\\([A-Za-z]+|.)|([_^])|(\{)|(\})|([^\\_^{}])", re.DOTALL)


def plain(latex: str) -> str:
    """*latex* in Unicode: ``x_{t+1} &= x_t - \\alpha g`` becomes ``xₜ₊₁ = xₜ - α g``."""
    lines = [_line(line) for line in re.split(r"\\\\", latex)]
    return "\n".join(line for line in lines if line)


def docstring(text: str, width: int = 80) -> str:
    """A docstring for a terminal: formulas in Unicode, no markup, *width* columns."""
    parts = re.split(r"^\.\. math:: *(.*\n(?:(?:[ \t]+.*)?\n)*)", text + "\n", flags=re.MULTILINE)
    for k, part in enumerate(parts):
        if k % 2:
            lines = plain(" ".join(part.split())).splitlines()
            # A line that is too long is broken where its formulas are set apart.
            short = [line if len(line) <= width - 4 else line.replace(_GAP, "\n") for line in lines]
            parts[k] = textwrap.indent("\n".join(short), " " * 4)
        else:
            parts[k] = "\n\n".join(_paragraph(text, width) for text in part.split("\n\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n\n".join(map(str.rstrip, parts))).strip()


def _paragraph(text: str, width: int) -> str:
    """*text* wrapped again, each run of lines of one indentation by itself."""
    text = re.sub(r"``(.+?)``", r"\1", re.sub(r"\[(\d+)\]_", r"[\1]", text))
    text = re.sub(r"^\.\. (\[\d+\])", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r":\w+:`~?([^`]+)`", r"\1", text)
    lines: list[str] = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if _stands_alone(line, lines, indent):
            lines.append(line)
        else:
            lines[-1] += " " + line.strip()
    return "\n".join(_wrapped(line, width) for line in lines)


def _stands_alone(line: str, before: list[str], indent: int) -> bool:
    """Whether *line* begins something: a heading, its underline, a parameter, a reference."""
    if not before or not line.strip() or set(line.strip()) == {"-"} or line.startswith(("[", "* ")):
        return True
    last = before[-1]
    if set(last.strip()) == {"-"} or " : " in line or last.lstrip().startswith(">>>"):
        return True
    hangs = last.startswith(("[", "* "))
    return not hangs and indent != len(last) - len(last.lstrip())


def _wrapped(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip()))
    hanging = indent + (
        " " * 4 if line.startswith("[") else " " * 2 if line.startswith("* ") else ""
    )
    return textwrap.fill(
        line.strip(), width, initial_indent=indent, subsequent_indent=hanging,
        break_on_hyphens=False, break_long_words=False,
    )  # fmt: skip


def _line(latex: str) -> str:
    tokens = [match.group(0) for match in _TOKEN.finditer(latex.replace("&", ""))]
    text, rest = _sequence(tokens)
    assert not rest, "an unmatched brace"
    text = re.sub(r"([∇∂Σ]) ", r"\1", re.sub(r" +", " ", text))
    return re.sub(rf" *{_WIDE} *", _GAP, text).strip()


def _sequence(tokens: list[str]) -> tuple[str, list[str]]:
    """The text up to a closing brace or the end, and the tokens after it."""
    text = ""
    while tokens and tokens[0] != "}":
        item, tokens = _item(tokens)
        text += item
    return unicodedata.normalize("NFC", text), tokens


def _argument(tokens: list[str]) -> tuple[str, list[str]]:
    """The next item, or the text between braces."""
    while tokens and tokens[0] == " ":
        tokens = tokens[1:]
    if tokens and tokens[0] == "{":
        text, tokens = _sequence(tokens[1:])
        return text, tokens[1:]
    return _item(tokens)


def _item(tokens: list[str]) -> tuple[str, list[str]]:
    token, tokens = tokens[0], tokens[1:]
    if token == "{":
        text, tokens = _sequence(tokens)
        return text, tokens[1:]
    if token in "_^":
        text, tokens = _argument(tokens)
        return _script(text, _LOWERED if token == "_" else _RAISED, token), tokens
    if not token.startswith("\\"):
        return token, tokens
    name = token[1:]
    if name in _ACCENTS:
        text, tokens = _argument(tokens)
        return text[:1] + _ACCENTS[name] + text[1:], tokens
    if name == "sqrt":
        text, tokens = _argument(tokens)
        return f"√{text}" if text.isalnum() else f"√({text})", tokens
    if name in ("frac", "tfrac", "dfrac"):
        above, tokens = _argument(tokens)
        below, tokens = _argument(tokens)
        return f"{_grouped(above)}/{_grouped(below)}", tokens
    return _SYMBOLS.get(name, name), tokens


def _script(text: str, table: dict[str, str], mark: str) -> str:
    if all(letter in table for letter in text):
        return "".join(table[letter] for letter in text)
    return mark + (text if len(text) == 1 else f"({text})")


def _grouped(text: str) -> str:
    return f"({text})" if re.search(r"[ +-]", text) else text
