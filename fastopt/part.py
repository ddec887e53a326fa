"""Some of the starts of a batch, whose runs are those that they are in the whole batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.checks import Floats
from fastopt.starts import Starts


class Part(Starts):
    """Some starts of a batch; their runs keep the indices that they have in it.

    A run's random numbers depend on its index in the batch, so a batch that is run in parts
    gives the bits that it gives as a whole. Pickled, it holds of an array only its own rows.

    Parameters
    ----------
    starts : Starts or numpy.ndarray, shape (n, dim)
        All starts of the batch, in C order if it has several axes.
    which : range of step 1, or numpy.ndarray of int64
        The indices of the part's starts.

    Examples
    --------
    >>> import fastopt as fo
    >>> starts, noise = fo.starts.Uniform(-1, 1, n=100, dim=2), fo.noise.gaussian(0.1)
    >>> settings = dict(max_steps=5, stop=None, noise=noise)
    >>> whole = fo.run(fo.SGD(), fo.Bowl(), starts, **settings)
    >>> part = fo.run(fo.SGD(), fo.Bowl(), Part(starts, range(40, 60)), **settings)
    >>> bool((part.x == whole.x[40:60]).all())
    True
    """

    def __init__(self, starts: Starts | NDArray[Any], which: range | NDArray[np.int64]):
        kept = starts
        if isinstance(starts, np.ndarray):
            places = slice(which.start, which.stop) if isinstance(which, range) else which
            kept = starts[places]
        self._keep(kept, which)

    def _keep(self, kept: Any, which: range | NDArray[np.int64]) -> None:
        dim = kept.dim if isinstance(kept, Starts) else kept.shape[-1]
        self._set(kept=kept, which=which, shape=(len(which),), dim=dim)

    kept: Any
    which: Any

    def runs(self, a: int, b: int) -> NDArray[np.int64]:
        """The indices in the whole batch of the part's starts a to b - 1."""
        if isinstance(self.which, range):
            return np.arange(self.which.start + a, self.which.start + b)
        return np.asarray(self.which[a:b])

    def indices_of(self, runs: NDArray[np.int64]) -> NDArray[np.int64]:
        """The indices in the whole batch of these of the part's starts."""
        if isinstance(self.which, range):
            return self.which.start + runs
        return np.asarray(self.which[runs])

    def cut(self, a: int, b: int) -> Part:
        """The part's starts a to b - 1, as a part of the same batch."""
        kept = self.kept[a:b] if isinstance(self.kept, np.ndarray) else self.kept
        return _restore(kept, self.which[a:b])

    @staticmethod
    def joined(parts: Sequence[Part]) -> Part:
        """Parts of the same starts, one after the other; each may be a part of its own batch."""
        if len(parts) == 1:
            return parts[0]
        kept = parts[0].kept
        if isinstance(kept, np.ndarray):
            kept = np.concatenate([part.kept for part in parts])
        return _restore(kept, np.concatenate([part.runs(0, part.size) for part in parts]))

    def _fill(self, first: int, out: Floats) -> None:
        last = first + len(out)
        if isinstance(self.kept, np.ndarray):
            out[:] = self.kept[first:last]
        elif isinstance(self.which, range):
            self.kept._fill(self.which.start + first, out)
        else:
            # Stretch by stretch of successive numbers.
            numbers = self.which[first:last]
            ends = [*(np.flatnonzero(np.diff(numbers) != 1) + 1).tolist(), len(numbers)]
            begin = 0
            for end in ends:
                self.kept._fill(int(numbers[begin]), out[begin:end])
                begin = end

    def __repr__(self) -> str:
        what = repr(self.kept) if isinstance(self.kept, Starts) else "an array"
        return f"{len(self.which):,} starts of {what}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.kept, self.which)


def _restore(kept: Any, which: Any) -> Part:
    part = object.__new__(Part)
    part._keep(kept, which)
    return part
