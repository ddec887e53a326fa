"""The script that makes the table of basin shares, on a few starts."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

import fastopt as fo

FOLDER = Path(__file__).parents[1] / "benchmarks" / "basins"


@pytest.fixture
def shares(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield importlib.import_module("shares")
    for name in {"shares", "shares_table"} - before:
        sys.modules.pop(name, None)


def test_the_table_has_every_pair_and_goes_on_from_fewer_starts(shares, tmp_path, monkeypatch):
    assert (len(shares.RULES), len(shares.SURFACES), len(shares.PAIRS)) == (10, 10, 210)
    pairs = [p for p in shares.PAIRS if p.surface == "himmelblau"]
    pairs = [p for p in pairs if p.rule in ("gradient_flow", "gradient_descent")]
    monkeypatch.setattr(shares, "PAIRS", pairs)
    monkeypatch.setattr(shares, "FIDELITY_STARTS", 300)
    store = tmp_path / "shares.json"
    shares.main(["--starts", "200", "--output", str(tmp_path), "--minutes", "0"])
    shares.main(["--starts", "200", "--output", str(tmp_path)])
    few = [json.loads(line) for line in store.read_text().splitlines()]
    assert [(r["rule"], r["setting"], r["starts"]) for r in few] == [(*p[1:], 200) for p in pairs]
    shares.main(["--starts", "400", "--output", str(tmp_path), "--seconds", "0"])
    assert [json.loads(line) for line in store.read_text().splitlines()] == few
    shares.main(["--starts", "400", "--output", str(tmp_path)])
    rows = [json.loads(line) for line in store.read_text().splitlines()]
    starts = np.asarray(fo.starts.Uniform(-6, 6, 400, shares.SEED, dim=2))
    runs, flow = (
        fo.run(rule, fo.Himmelblau(), starts, stop=fo.Stop(gradient=1e-6)).x
        for rule in (fo.GradientDescent(0.01), fo.GradientFlow())
    )
    minima = fo.Himmelblau().minima
    ends, flown = (np.linalg.norm(x[:, None] - minima, axis=-1).argmin(1) for x in (runs, flow))
    found = [row["counts"][f"minima[{k}]"] for row in rows[:2] for k in range(4)]
    assert found == [*np.bincount(flown), *np.bincount(ends)]
    assert sum(rows[1]["counts"].values()) == 400
    assert rows[1]["fidelity"] == {"agreeing": int((ends == flown)[:300].sum()), "starts": 300}
    text = (tmp_path / "basin-shares.md").read_text()
    assert "minimum (3, 2)" in text
    assert (
        f"| gradient descent | 0.01 | 400 | {share(rows[1]['counts']['minima[0]'], 400)} |" in text
    )
    assert "saddle" not in text.split("## Himmelblau")[1]  # no start ended at one


def share(count, total):
    """The interval, by SciPy, rounded outwards to two digits of a width of 1 to 10%."""
    low, high = 100 * np.array(binomtest(count, total).proportion_ci(0.95, "wilson"))
    return f"{np.floor(10 * low) / 10:.1f}–{np.ceil(10 * high) / 10:.1f}"


def test_intervals_tell_none_of_few_from_none_of_many(shares):
    interval = shares.table.__globals__["interval"]
    assert interval(0, 10**7) == "0–0.000039"
    assert interval(0, 1000) == "0–0.39"
    assert interval(10**7, 10**7) == "99.999961–100"
    assert interval(2_500_000, 10**7) == "24.973–25.027"


def test_every_end_is_counted_once(shares):
    starts = fo.starts.Uniform(-2, 2, 300, 1, dim=2)
    rastrigin = fo.surfaces.get("rastrigin")
    found = fo.basin_fractions(fo.GradientDescent(0.002), rastrigin, starts, max_steps=2000)
    totals = shares.counts(found, rastrigin)
    assert "local_minima[0]" not in totals  # of 120
    assert totals["minima[0]"] == found.counts[found.found.matched.index("minima[0]")]
    assert totals["minima[0]"] + totals["other minima"] + totals["saddle"] == 300
