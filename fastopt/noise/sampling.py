"""The noise of mini-batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastopt.checks import whole
from fastopt.ensembles import Objective
from fastopt.kernels.minibatch import network, sampler, scratch_rows
from fastopt.kernels.parts import NoiseParts
from fastopt.kernels.sum_numbers import digits
from fastopt.noise.base import Noise
from fastopt.rules import Rule
from fastopt.surfaces import FiniteSum


@dataclass(frozen=True, eq=False)
class Minibatch(Noise):
    """Gradients of mini-batches; see :func:`minibatch`."""

    label = "minibatch"

    batch_size: int
    replace: bool = False
    shared: bool = False

    def parts(self, rule: Rule, surface: Objective) -> NoiseParts:
        assert isinstance(surface, FiniteSum)
        rows = surface.parts().rows
        assert rows is not None
        kinds = {"replace": self.replace, "shared": self.shared, "value": rule.uses_value}
        return NoiseParts(
            label="-".join([self.label, *(kind for kind, chosen in kinds.items() if chosen)]),
            source=Minibatch,
            sample=sampler(rows, self.replace, self.shared, rule.uses_value),
            shared=7,
            scratch=scratch_rows(rows, surface.dim, self.shared),
            work=surface.row_work * self.batch_size,
        )

    def numbers(self, surface: Objective) -> NDArray[np.float64]:
        assert isinstance(surface, FiniteSum)
        sizes = (*digits(self.batch_size), *digits(surface.rows), *network(surface.rows))
        return np.array(sizes, np.float64)

    def check(self, rule: Rule, surface: Objective) -> None:
        if not isinstance(surface, FiniteSum) or surface.parts().rows is None:
            raise ValueError(
                f"noise={self!r}: must be on a finite sum itself, such as fo.LeastSquares(A, b), "
                f"which {surface!r} is not; fo.noise.gaussian(std) is noise on any surface"
            )
        if self.batch_size > surface.rows:
            raise ValueError(
                f"batch_size={self.batch_size}: must be <= {surface.rows}, the number of rows of "
                f"{surface!r}; without noise= the gradient is that of all rows"
            )
        super().check(rule, surface)
        if rule.uses_value and rule.point is not None:
            raise ValueError(
                f"noise={self!r}: {rule.name} must have the value at x and the gradient at another "
                "point, and a batch is evaluated at one; take a rule that needs both at x"
            )


def minibatch(batch_size: int, replace: bool = False, shared: bool = False) -> Noise:
    """True mini-batches: each step sees some rows of a finite sum.

    The rule gets 1/B times the sum of the gradients of B rows, and l2 x, at the point at which
    it asks for a gradient; a rule that uses the value, such as Polyak's, gets the batch's value
    at x (the stochastic Polyak step). Stop criteria and results are those of the whole sum: with
    ``stop=None`` or a criterion of distance alone no step costs more than its batch.

    Without replacement, a run visits all N rows in a random order, then again in another: each
    of the N draws of an epoch is another row. A batch that reaches the end of an epoch takes
    its other rows from the next one (and so may have a row twice): every batch has B rows,
    where PyTorch's ``DataLoader`` makes a smaller one of the rest. With replacement, each draw
    is any row.

    Parameters
    ----------
    batch_size : int
        B, from 1 to the number of rows.
    replace : bool, default False
        Whether to draw with replacement.
    shared : bool, default False
        Whether all runs see the same batches, those of the first run, for paired comparisons;
        otherwise each has its own. Shared ones are also read once for many runs.

    Raises
    ------
    TypeError, ValueError
        An argument is out of its range; or, by ``fo.run``, the surface is no finite sum or has
        too few rows, or the rule must have the exact gradient.

    Notes
    -----
    The rows of a run depend on the seed, its index in the batch and the step alone, and nothing
    is stored: an order is a permutation that is computed place by place, a generalised Feistel
    network of 12 rounds (24 of fewer than 256 rows) keyed by seed, run and epoch [1]_.

    References
    ----------
    .. [1] J. Black, P. Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002; R.
       Mitchell, D. Stokes, E. Frank, G. Holmes, "Bandwidth-optimal random shuffling for GPUs",
       ACM Transactions on Parallel Computing 9(1), 2022.

    Examples
    --------
    >>> import fastopt as fo
    >>> surface = fo.LeastSquares.random(rows=200, dim=2, noise_std=0.1, seed=0)
    >>> noise = fo.noise.minibatch(batch_size=8)
    >>> runs = fo.run(fo.SGD(0.05), surface, [[0, 0]], max_steps=500, stop=None, noise=noise)
    >>> bool(runs.fun < surface.fun_min + 0.01)
    True
    """
    for name, flag in (("replace", replace), ("shared", shared)):
        if not isinstance(flag, bool | np.bool_):
            raise TypeError(f"{name}={flag!r}: must be True or False (minibatch)")
    return Minibatch(whole("minibatch", "batch_size", batch_size, 1), bool(replace), bool(shared))
