"""The random numbers of one member of an ensemble."""

from __future__ import annotations

import numpy as np

from fastopt.checks import whole


def member_rng(seed: int, i: int) -> np.random.Generator:
    """The random generator of member *i* of an ensemble.

    It depends on (seed, i) alone: not on how many members there are, nor on which were made
    before. That of ``numpy.random.SeedSequence(seed).spawn(i + 1)[i]``, without the others, so
    that no two pairs share their numbers; Philox4x64-10, Salmon et al. (2011) [1]_.

    Parameters
    ----------
    seed : int
        0 to 2**64 - 1.
    i : int
        0 to 2**63 - 1.

    Returns
    -------
    numpy.random.Generator
        NumPy's next version may draw other numbers from it.

    Raises
    ------
    TypeError, ValueError
        A number is not a whole one, or out of its range.

    References
    ----------
    .. [1] J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy
       as 1, 2, 3", SC 2011.

    Examples
    --------
    >>> import fastopt as fo
    >>> one, again = (fo.spectra.member_rng(seed=0, i=7).normal() for _ in range(2))
    >>> one == again
    True
    """
    seed = whole("member_rng", "seed", seed, 0, 2**64 - 1)
    i = whole("member_rng", "i", i, 0, 2**63 - 1)
    words = np.random.SeedSequence(seed, spawn_key=(i,))
    return np.random.Generator(np.random.Philox(words))
