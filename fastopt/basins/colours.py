"""Colours of a map: a hue for each basin, darker where runs take longer.

Shades are evenly spaced in OKLab (B. Ottosson, "A perceptual color space for image processing",
2020), so that equal differences look equal. The first hues are those of Okabe and Ito (2008),
each moved a little so that the least difference between any two grew, for full colour vision and
for each kind of dichromacy (by the matrices of Machado, Oliveira and Fernandes, 2009). Any further
ones go round the circle by the golden angle, in three lightnesses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

_HUES = (
    "#1552A7",
    "#EAC267",
    "#AD7CD8",
    "#00A472",
    "#77CCE1",
    "#B75400",
    "#982B34",
    "#90B300",
)
DIVERGED, UNRESOLVED = (0, 0, 0), (128, 128, 128)
SHADES = 64
"""Shades of a hue."""

_GOLDEN_ANGLE = 2.399963229728653
_LIGHTNESSES = (0.72, 0.52, 0.62)
_CHROMA = 0.12
# How far the lightest shade is on the way to white, and the darkest to black.
_TO_WHITE, _TO_BLACK = 0.62, 0.5

_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def palette(count: int) -> Bytes:
    """The shades (count, SHADES, 3) of so many basins, from few steps to many."""
    bases = [_oklab_of(text) for text in _HUES[:count]]
    for k in range(count - len(bases)):
        angle = _GOLDEN_ANGLE * (k + 0.5)
        lightness = _LIGHTNESSES[k % len(_LIGHTNESSES)]
        bases.append(np.array([lightness, _CHROMA * np.cos(angle), _CHROMA * np.sin(angle)]))
    return _shades(np.array(bases).reshape(-1, 3))


def greys() -> Bytes:
    """The same shades (SHADES, 3) without a hue."""
    return _shades(np.array([[0.6, 0.0, 0.0]]))[0]


def _shades(bases: Floats) -> Bytes:
    base = bases[:, None]
    white, black = np.array([1.0, 0.0, 0.0]), np.zeros(3)
    share = np.linspace(0.0, 1.0, SHADES)[:, None]
    light = base + _TO_WHITE * (white - base)
    dark = base + _TO_BLACK * (black - base)
    # Through the hue itself in the middle.
    shades = np.where(
        share < 0.5, light + 2 * share * (base - light), base + (2 * share - 1) * (dark - base)
    )
    return to_bytes(shades)


def to_bytes(lab: Floats) -> Bytes:
    """OKLab to sRGB bytes; what is outside is cut off."""
    cones = (lab @ np.linalg.inv(_TO_LAB).T) ** 3
    linear = np.clip(cones @ np.linalg.inv(_TO_CONES).T, 0.0, 1.0)
    gamma = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(255 * gamma), np.uint8)


def _oklab_of(text: str) -> Floats:
    gamma = np.array([int(text[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(gamma <= 0.04045, gamma / 12.92, ((gamma + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T, np.float64)


class Scale:
    """Steps to shades: even in the logarithm, between the few and the many of most runs."""

    def __init__(self, steps: NDArray[Any]):
        few, many = np.quantile(steps, [0.01, 0.99]) if steps.size else (0, 0)
        self.low = max(float(few), 1.0)
        self.high = max(float(many), 1.25 * self.low)

    def shades(self, steps: NDArray[Any]) -> NDArray[np.int64]:
        """The number of the shade of each."""
        span = np.log(self.high / self.low)
        share = np.log(np.maximum(steps, self.low) / self.low) / span
        return np.asarray(np.minimum(share * SHADES, SHADES - 1), np.int64)


def paint(labels: NDArray[np.int32], steps: NDArray[Any], scale: Scale, shades: Bytes) -> Bytes:
    """The colours (ny, nx, 3) of a map, from the top row down."""
    count = len(shades)
    table = np.empty((count + 2, SHADES, 3), np.uint8)
    table[:count] = shades
    table[-1], table[-2] = DIVERGED, UNRESOLVED
    image = np.empty((*labels.shape, 3), np.uint8)
    for row in range(len(labels)):  # a row at a time: the map may be large
        image[-1 - row] = table[labels[row], scale.shades(steps[row])]
    return image
