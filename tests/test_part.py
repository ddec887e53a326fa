"""A part of a batch runs as in the whole batch; a caller can follow a run and end it."""

import pickle

import numpy as np
import pytest

import fastopt as fo
from fastopt.part import Part

STARTS = fo.starts.Uniform(-1, 1, n=1000, dim=2)


def run(starts, **options):
    noise = fo.noise.gaussian(0.1)
    return fo.run(
        fo.SGD(), fo.Bowl(), starts, max_steps=7, stop=None, noise=noise, seed=3, **options
    )


@pytest.mark.parametrize("kind", ["lazy", "array"])
@pytest.mark.parametrize("which", [range(40, 600), range(7, 8), np.array([5, 999, 3])])
def test_a_part_has_the_bits_that_it_has_in_the_whole(kind, which):
    starts = STARTS if kind == "lazy" else np.asarray(STARTS)
    whole, part = run(starts), run(pickle.loads(pickle.dumps(Part(starts, which))))
    for name in ("x", "fun", "grad_norm", "steps", "status"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)[list(which)])
    # Which starts they are is not enough: noise goes by the index.
    assert not np.array_equal(run(np.asarray(STARTS)[list(which)]).x, part.x)


@pytest.mark.parametrize("kind", ["lazy", "array"])
def test_parts_one_after_the_other(kind):
    starts = STARTS if kind == "lazy" else np.asarray(STARTS)
    parts = [Part(starts, range(10, 30)), Part(starts, range(5, 12)), Part(starts, range(12, 20))]
    joined = Part.joined(parts)
    assert joined.shape == (35,)
    assert np.array_equal(
        joined.chunk(15, 30), np.concatenate([p.chunk(0, p.size) for p in parts])[15:30]
    )
    assert np.array_equal(run(joined).x, np.concatenate([run(part).x for part in parts]))


def test_of_an_array_only_the_rows_are_pickled():
    assert len(pickle.dumps(Part(np.zeros((10_000, 2)), range(10, 20)))) < 1_000


def test_a_part_does_not_broadcast():
    rule = fo.GradientDescent([[0.1], [0.2]])
    with pytest.raises(ValueError, match="must have the batch's shape"):
        fo.run(rule, fo.Bowl(), Part(STARTS, range(3)))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_function_follows_a_run_and_may_end_it(threads, cut):
    cut(runs=100)
    shares = []
    run(STARTS, progress=shares.append, threads=threads)
    assert shares == sorted(shares) or threads > 1
    assert shares[-1] == pytest.approx(1)

    def end(share):
        raise LookupError

    with pytest.raises(LookupError):
        run(STARTS, progress=end, threads=threads)
