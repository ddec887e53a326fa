"""Lazy batches of starting points: nothing is computed until a chunk is asked for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cache as memoise
from functools import lru_cache
from typing import Any, ClassVar

import numba
import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastopt import memory
from fastopt.checks import Floats, check_each, coordinates, whole
from fastopt.kernels.compile import Entry, compile_entry
from fastopt.kernels.elementary import cos, log, sin

# A chunk is made in pieces of so many numbers: they stay in the cache, temporary arrays stay
# small whatever the chunk, and Ctrl-C gets through between two of them.
_PIECE = 1 << 16
_MOST_NUMBERS = 1 << 62
# All the bits that a float64 in [0, 1) can have: up to 2**53 starts, and no rounding.
_SOBOL_BITS = 53


class Starts(ABC):
    """A batch of starting points, computed when asked for: by chunk, or whole by np.asarray.

    Start number i (in C order of the batch) depends on i and on what describes the
    distribution, not on how many starts there are nor on the chunk. Immutable, picklable.
    ``shape`` is the shape of the batch, ``dim`` the number of coordinates.
    """

    shape: tuple[int, ...]
    dim: int
    _parameters: ClassVar[tuple[str, ...]] = ("low", "high", "n", "seed")

    @property
    def size(self) -> int:
        """Number of starts."""
        return math.prod(self.shape)

    def chunk(self, a: int, b: int) -> Floats:
        """Starts number *a* to *b* - 1, shape (b - a, dim); ``0 <= a <= b <= size``."""
        owner = type(self).__name__
        a, b = whole(owner, "a", a, 0), whole(owner, "b", b, 0, self.size)
        if a > b:
            raise ValueError(f"a={a}, b={b}: a must be <= b ({owner})")
        points = np.empty((b - a, self.dim))
        rows = max(_PIECE // self.dim, 1)
        for first in range(a, b, rows):
            self._fill(first, points[first - a : first - a + rows])
        return points

    @abstractmethod
    def _fill(self, first: int, out: Floats) -> None:
        """Write starts number *first*, *first* + 1, ... into the rows of *out*."""

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError(f"copy=False: there is no array to share ({type(self).__name__})")
        memory.require(8 * self.size * self.dim, f"{self!r} as an array", "take it by chunk()")
        points = self.chunk(0, self.size).reshape(*self.shape, self.dim)
        return points if dtype is None else points.astype(dtype, copy=False)

    def __repr__(self) -> str:
        values = {name: getattr(self, name) for name in self._parameters}
        texts = [
            np.array2string(value, max_line_width=9999, threshold=8, floatmode="unique")
            if isinstance(value, np.ndarray)
            else f"{name}={value}"
            for name, value in values.items()
        ]
        return f"{type(self).__name__}({', '.join(texts)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, name) for name in self._parameters)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name}: {type(self).__name__} is immutable; make a new one")

    def _set(self, **values: Any) -> None:
        for value in values.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        self.__dict__.update(values)


class _Box(Starts):
    """Points of the unit cube, scaled to a box."""

    low: Floats
    high: Floats
    n: int
    seed: int
    _most: ClassVar[int] = _MOST_NUMBERS
    _most_dim: ClassVar[int] = _MOST_NUMBERS

    def __init__(
        self, low: ArrayLike, high: ArrayLike, n: int, seed: int = 0, *, dim: int | None = None
    ):
        owner = type(self).__name__
        lows, highs = coordinates(owner, dim, low=low, high=high)
        check_each(owner, lows < highs, "low must be < high", low=lows, high=highs)
        dim = whole(owner, "dim", len(lows), 1, self._most_dim)
        n = whole(owner, "n", n, 1, min(self._most, _MOST_NUMBERS // dim))
        seed = whole(owner, "seed", seed, 0, 2**64 - 1)
        self._set(low=lows, high=highs, n=n, seed=seed, shape=(n,), dim=dim)

    @abstractmethod
    def _unit(self, first: int, count: int) -> Floats:
        """Points number *first*, ... of the unit cube [0, 1)**dim, count * dim numbers."""

    def _fill(self, first: int, out: Floats) -> None:
        _affine(self._unit(first, len(out)), self.high - self.low, self.low, out)
        # The sum can be rounded up to high.
        last = np.tile(np.nextafter(self.high, self.low), len(out))
        np.minimum(out.reshape(-1), last, out=out.reshape(-1))


class Uniform(_Box):
    """Independent starts, uniform on the box [low, high).

    Coordinate k of start i is ``low + (high - low) * u`` with u from the upper 53 bits of word
    ``i * dim + k`` of NumPy's Philox generator with key *seed*. The same bits on any machine.

    Parameters
    ----------
    low, high : float or array_like, shape (dim,)
        The ends of the box, low < high, up to 1e300 in magnitude. In units of x.
    n, seed : int
        Number of starts, at least 1; the generator's seed, 0 (the default) to 2**64 - 1.
    dim : int, optional
        Number of coordinates; by default that of the arrays, or 1 if there is none.

    Raises
    ------
    TypeError, ValueError
        A parameter has the wrong type, or is out of its range.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.starts.Uniform(*fo.surfaces.get("bowl").bounds.T, n=10**9).shape
    (1000000000,)
    """

    def _unit(self, first: int, count: int) -> Floats:
        return _uniforms(self.seed, first * self.dim, count * self.dim)


class Sobol(_Box):
    """Scrambled Sobol' points in the box [low, high): spread more evenly than by chance.

    The points of ``scipy.stats.qmc.Sobol(dim, bits=53, rng=seed)`` in their order, scaled to
    the box; most even where n is a power of 2. Set up in 0.2 ms a coordinate. The scrambling
    is drawn by NumPy's default generator, whose next version may draw another.

    Parameters
    ----------
    low, high : float or array_like, shape (dim,)
        The ends of the box, low < high, up to 1e300 in magnitude; dim <= 21,201. In units of x.
    n, seed : int
        Number of starts, 1 to 2**53; the scrambling's seed, 0 (the default) to 2**64 - 1.
    dim : int, optional
        Number of coordinates; by default that of the arrays, or 1 if there is none.

    Raises
    ------
    TypeError, ValueError
        A parameter has the wrong type, or is out of its range.

    Examples
    --------
    >>> import fastopt as fo
    >>> points = fo.starts.Sobol(0, 4, n=4).chunk(0, 4)
    >>> sorted(int(x) for x in points[:, 0])  # one in each quarter
    [0, 1, 2, 3]
    """

    _most = 1 << _SOBOL_BITS
    _most_dim = 21_201  # scipy.stats.qmc.Sobol.MAXDIM, without importing SciPy

    def _unit(self, first: int, count: int) -> Floats:
        # Point i is the shift, xor one word for each bit of i that is set. The lower bits run
        # through all their values in a table, made by doubling; the upper ones are the same
        # for a whole block. (SciPy's fast_forward goes point by point, and fails for bits > 32.)
        table, words = _sobol_words(self.dim, self.seed)
        lower = max(count.bit_length() - 2, 0)
        for bit in range(lower):
            table = np.concatenate((table, table ^ words[:, bit : bit + 1]), axis=1)
        blocks = np.arange(first >> lower, (first + count - 1 >> lower) + 1, dtype=np.uint64)
        is_set = blocks[:, None] >> np.arange(_SOBOL_BITS - lower, dtype=np.uint64) & np.uint64(1)
        upper = np.bitwise_xor.reduce(is_set * words[:, None, lower:], axis=2)
        points = (upper[:, :, None] ^ table[:, None, :]).reshape(self.dim, -1)
        skip = first % (1 << lower)
        unit: Floats = points[:, skip : skip + count].T * 2.0**-_SOBOL_BITS
        return unit


class Normal(Starts):
    """Independent starts, normal around a mean, with independent coordinates.

    Coordinates 2k and 2k + 1 of start i are a Box-Muller pair, from words ``i * m + 2k`` and
    ``i * m + 2k + 1`` of NumPy's Philox generator with key *seed*; m is dim, rounded up to
    even. None is further out than 8.6 std. The same bits on any machine.

    Parameters
    ----------
    mean, std : float or array_like, shape (dim,)
        Of each coordinate; std > 0; both up to 1e300 in magnitude. In units of x.
    n, seed : int
        Number of starts, at least 1; the generator's seed, 0 (the default) to 2**64 - 1.
    dim : int, optional
        Number of coordinates; by default that of the arrays, or 1 if there is none.

    Raises
    ------
    TypeError, ValueError
        A parameter has the wrong type, or is out of its range.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.starts.Normal([0, 10], 2, n=1000).chunk(0, 1000).std(axis=0).round(1)
    array([2., 2.])
    """

    mean: Floats
    std: Floats
    n: int
    seed: int
    _parameters = ("mean", "std", "n", "seed")

    def __init__(
        self, mean: ArrayLike, std: ArrayLike, n: int, seed: int = 0, *, dim: int | None = None
    ):
        means, stds = coordinates("Normal", dim, mean=mean, std=std)
        check_each("Normal", stds > 0, "must be > 0", std=stds)
        n = whole("Normal", "n", n, 1, _MOST_NUMBERS // len(means))
        seed = whole("Normal", "seed", seed, 0, 2**64 - 1)
        self._set(mean=means, std=stds, n=n, seed=seed, shape=(n,), dim=len(means))

    def _fill(self, first: int, out: Floats) -> None:
        words = self.dim + self.dim % 2
        numbers = _uniforms(self.seed, first * words, len(out) * words)
        planes = np.array(numbers.reshape(-1, 2).T, order="C")
        _compiled_box_muller().call(planes)
        numbers[0::2], numbers[1::2] = planes
        _affine(numbers.reshape(-1, words)[:, : self.dim], self.std, self.mean, out)


class Grid(Starts):
    """Starts on a regular grid, ends included.

    Coordinate k is ``np.linspace(low[k], high[k], shape[k])`` along axis k of the batch; on an
    axis of one point it is the middle, ``(low[k] + high[k]) / 2``.

    Parameters
    ----------
    low, high : float or array_like, shape (dim,)
        First and last value, low < high (or equal, on an axis of one point), up to 1e300 in
        magnitude. In units of x.
    shape : int or tuple of int
        Number of points along each axis, at least 1; an int serves every axis.
    dim : int, optional
        Number of coordinates; by default that of the arrays, or 1 if there is none.

    Raises
    ------
    TypeError, ValueError
        A parameter has the wrong type, or is out of its range.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.starts.Grid(0, [1, 3], shape=(2, 4)).chunk(4, 8).tolist()
    [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0]]
    """

    low: Floats
    high: Floats
    _parameters = ("low", "high", "shape")

    def __init__(
        self, low: ArrayLike, high: ArrayLike, shape: int | Sequence[int], *, dim: int | None = None
    ):
        each = list(shape) if isinstance(shape, Iterable) else None
        if each is not None and (not each or dim not in (None, len(each))):
            raise ValueError(f"shape={shape}: must have one entry for each coordinate (Grid)")
        lows, highs = coordinates("Grid", dim if each is None else len(each), low=low, high=high)
        dim = len(lows)
        if each is None:
            counts = (whole("Grid", "shape", shape, 1),) * dim
        else:
            counts = tuple(whole("Grid", f"shape[{k}]", m, 1) for k, m in enumerate(each))
        holds = (lows < highs) | (lows == highs) & (np.array(counts) == 1)
        check_each("Grid", holds, "low must be < high", low=lows, high=highs)
        if math.prod(counts) > _MOST_NUMBERS // dim:
            raise ValueError(f"shape={counts}: must be <= 2**62 / dim points (Grid)")
        self._set(low=lows, high=highs, shape=counts, dim=dim)

    def _fill(self, first: int, out: Floats) -> None:
        number = np.arange(first, first + len(out))
        for k in reversed(range(self.dim)):
            points, low, high = self.shape[k], self.low[k], self.high[k]
            rest = number // points
            index = number - rest * points
            number = rest
            if points == 1:
                out[:, k] = (low + high) / 2
            else:  # the operations of np.linspace, for the same bits
                out[:, k] = index * ((high - low) / (points - 1)) + low
                out[index == points - 1, k] = high


# -- numbers -----------------------------------------------------------------------------


def _uniforms(seed: int, first: int, count: int) -> Floats:
    """Uniform numbers in [0, 1) from words *first*, *first* + 1, ... of the generator."""
    counter, skip = divmod(first, 4)  # each value of the counter gives four words
    words = np.random.Philox(key=seed, counter=counter).random_raw(skip + count)[skip:]
    words >>= np.uint64(11)
    # As int64, which converts to float64 three times as fast.
    return np.multiply(words.view(np.int64), 2.0**-53)


def _affine(x: Floats, scale: Floats, offset: Floats, out: Floats) -> None:
    """``out = x * scale + offset``; flat, as NumPy is five times slower along rows of two."""
    flat = out.reshape(-1)
    np.multiply(x.reshape(-1), np.tile(scale, len(out)), out=flat)
    flat += np.tile(offset, len(out))


@memoise
def _compiled_box_muller() -> Entry:
    signature = numba.types.void(numba.typeof(np.zeros((0, 0))))
    return compile_entry(box_muller, "float64", signature, "normal-starts", from_python=True)


def box_muller(u: Any) -> None:
    """Turn columns of two uniform numbers in [0, 1) into columns of two normal ones.

    The last bits of NumPy's log, sin and cos differ from machine to machine; these don't.
    In two rows, because LLVM does not vectorise the loop over pairs side by side.
    """
    for j in range(u.shape[1]):
        radius = math.sqrt(-2.0 * log(1.0 - u[0, j]))
        angle = 6.283185307179586 * u[1, j]
        u[0, j] = radius * cos(angle)
        u[1, j] = radius * sin(angle)


@lru_cache(maxsize=8)
def _sobol_words(dim: int, seed: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The shift (dim, 1), and what each bit of a point's number xors (dim, bits)."""
    from scipy.stats import qmc

    engine = qmc.Sobol(dim, scramble=True, bits=_SOBOL_BITS, rng=seed)
    # Private, but there is no public way; the tests compare our points with SciPy's.
    shift, words = engine._shift[:, None], engine._sv.copy()
    words[:, 1:] ^= engine._sv[:, :-1]  # SciPy's belong to the bits of the Gray code i ^ (i >> 1)
    return shift, words
