"""Pictures of basins, and the subcommands that make them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from matplotlib.image import imread

import fastopt as fo
from fastopt.basins import colours, picture
from fastopt.cli import main

HIMMELBLAU = fo.Himmelblau()
QUICK = ["--max-steps", "2000", "--no-progress"]


@pytest.fixture(scope="module")
def basins():
    return fo.basin_map(fo.Momentum(0.01), HIMMELBLAU, shape=(40, 60), max_steps=2000)


@pytest.fixture
def typed(capsys):
    def run(*arguments):
        status = main([*map(str, arguments)])
        return status, *capsys.readouterr()

    return run


# -- colours -----------------------------------------------------------------------------


def test_a_hue_gets_darker_with_the_steps_and_stays_apart_from_the_others():
    shades = colours.palette(20).astype(float)
    weights = np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(shades @ weights, axis=1) <= 0.5).all()
    assert (shades[:, 0] @ weights - shades[:, -1] @ weights > 80).all()
    grey = colours.greys()
    assert (np.ptp(grey.astype(int), axis=1) <= 2).all()


# Of linear light: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A physiologically-based
# model for simulation of color vision deficiency", IEEE TVCG 15(6), 2009, at full severity.
VISION = {
    "full": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize("kind", VISION)
def test_hues_stay_apart_for_every_kind_of_vision(kind):
    gamma = colours.palette(8)[:, colours.SHADES // 2] / 255
    linear = np.where(gamma <= 0.04045, gamma / 12.92, ((gamma + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(VISION[kind]).T, 0, 1)
    # OKLab, by its author's page.
    cones = np.cbrt(
        seen
        @ np.array(
            [
                [0.4122214708, 0.2119034982, 0.0883024619],
                [0.5363325363, 0.6806995451, 0.2817188376],
                [0.0514459929, 0.1073969566, 0.6299787005],
            ]
        )
    )
    lab = cones @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )
    apart = np.linalg.norm(lab[:, None] - lab, axis=-1) + 9 * np.eye(8)
    # A difference of 0.02 can just be seen side by side.
    for count, least in ((3, 0.17), (4, 0.14), (6, 0.105), (8, 0.079)):
        assert apart[:count, :count].min() > least


def test_oklab_is_that_of_its_author():
    # White, and the table of XYZ to OKLab's own page gives L = 1 for it; red by its formulae.
    np.testing.assert_array_equal(
        colours.to_bytes(np.array([[1.0, 0, 0], [0, 0, 0]])), [[255] * 3, [0] * 3]
    )
    red = np.array([[0.62796, 0.22486, 0.12585]])
    np.testing.assert_array_equal(colours.to_bytes(red), [[255, 0, 0]])
    middle = colours.palette(1)[0, colours.SHADES // 2].astype(int)
    assert (np.abs(middle - [0x15, 0x52, 0xA7]) < 8).all()


# -- pictures ----------------------------------------------------------------------------


def test_a_picture_has_the_maps_own_pixels(basins, tmp_path):
    path = tmp_path / "map.png"
    basins.save_image(path, marks=False)
    read = np.round(imread(path) * 255).astype(np.uint8)
    assert read.shape == (40, 60, 3)
    upwards = read[::-1]
    assert (upwards[basins.labels == -1] == 0).all()
    assert (basins.labels == -1).any()
    hues = colours.palette(4)
    for k in range(4):
        own = upwards[basins.labels == k]
        assert {tuple(c) for c in own.tolist()} <= {tuple(c) for c in hues[k].tolist()}
    np.testing.assert_array_equal(read, picture.image(basins))
    few, many = (
        upwards[basins.steps == n][0] for n in np.sort(basins.steps[basins.labels == 0])[[0, -1]]
    )
    assert few.sum() > many.sum()


def test_minima_are_marked_where_they_are(basins, tmp_path):
    basins.save_image(tmp_path / "map.png")
    read = np.round(imread(tmp_path / "map.png") * 255).astype(np.uint8)[::-1]
    for x, y in HIMMELBLAU.minima:
        row, column = np.abs(basins.y - y).argmin(), np.abs(basins.x - x).argmin()
        assert (read[row, column] == 255).all()
    with pytest.raises(ValueError, match=r"must end in \.png"):
        basins.save_image(tmp_path / "map.gif")


def test_a_figure_has_legend_marks_and_scale(basins, tmp_path):
    figure = basins.plot(contours=True)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    shares = basins.fractions()
    assert texts[0] == f"minimum at (3, 2), {shares.value[0]:.1%}"
    assert texts[-1] == f"diverged, {shares.value[-1]:.1%}"
    stars = [c for c in figure.axes[0].collections if len(c.get_offsets()) == 4]
    np.testing.assert_allclose(stars[-1].get_offsets(), HIMMELBLAU.minima)
    assert "steps" in figure.axes[1].get_ylabel()
    figure.savefig(tmp_path / "map.png", dpi=50)


def test_slices_cycles_and_empty_maps_are_drawn(tmp_path):
    rastrigin = fo.basin_map(
        fo.GradientDescent(0.002), fo.Rastrigin(dim=4), shape=24, slice=(1, 3), max_steps=500
    )
    figure = rastrigin.plot()
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("x₂", "x₄")
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(set(texts)) == len(texts)
    assert texts[0].startswith("minimum at (x2 = -0.995, x4 = -0.995, ...)")
    assert "others" in figure.legends[0].get_texts()[-1].get_text()
    nowhere = fo.basin_map(fo.GradientDescent(1e-9), HIMMELBLAU, shape=8, max_steps=10)
    nowhere.plot().savefig(tmp_path / "nowhere.png", dpi=50)
    nowhere.save_image(tmp_path / "nowhere.png")
    assert (np.round(imread(tmp_path / "nowhere.png")[..., :3] * 255) == 128).all()
    nowhere.save(tmp_path / "nowhere.npz")
    assert fo.BasinMap.load(tmp_path / "nowhere.npz").attractors.shape == (0, 2)
    with pytest.raises(ValueError, match="has no surface to draw"):
        fo.BasinMap.load(tmp_path / "nowhere.npz").plot(contours=True)


# -- fastopt basin -----------------------------------------------------------------------


@pytest.mark.parametrize("order", [("himmelblau", "momentum"), ("momentum", "Himmelblau")])
def test_the_command_maps_prints_and_writes(typed, tmp_path, basins, order):
    image, file, figure = (tmp_path / name for name in ("a.png", "a.npz", "b.png"))
    options = ["--learning-rate", "0.01", "--shape", "40x60", "-o", image, "-o", file]
    status, out, err = typed("basin", *order, *options, "--figure", figure, "--fidelity", *QUICK)
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines()[:-3])) <= 80
    assert "minimum at (3, 2)" in out
    assert "basin entropy" in out
    assert "ends where the flow ends" in out
    assert out.splitlines()[-3:] == [f"wrote {path}" for path in (image, file, figure)]
    np.testing.assert_array_equal(fo.BasinMap.load(file).labels, basins.labels)
    basins.save_image(tmp_path / "own.png")
    assert (tmp_path / "own.png").read_bytes() == image.read_bytes()
    status, out, err = typed("basin", file, "--json")
    facts = json.loads(out)
    assert (status, err) == (0, "")
    assert [row["known_as"] for row in facts["basins"][:4]] == [f"minima[{k}]" for k in range(4)]
    shares = [row["share"] for row in facts["basins"]]
    np.testing.assert_allclose(shares, basins.fractions().value)
    assert [row["label"] for row in facts["basins"]] == [0, 1, 2, 3, -2, -1]


def test_the_command_takes_a_window_and_a_slice(typed, tmp_path):
    given = ["--slice", "2,4", "--bounds", "-1,1,0,2", "--shape", "6", "--dim", "4"]
    file = tmp_path / "a.npz"
    status, _, _ = typed("basin", "sphere", "gradient_descent", *given, "-o", file, *QUICK)
    assert status == 0
    read = fo.BasinMap.load(file)
    assert read.bounds.tolist() == [[-1, 1], [0, 2]]
    np.testing.assert_array_equal(read.frame[1:], np.eye(4)[[1, 3]])


def test_the_command_refines(typed):
    given = ["himmelblau", "gradient_flow", "--shape", "200", "--refine", *QUICK]
    status, out, _ = typed("basin", *given)
    assert status == 0
    assert "of them run" in out
    facts = json.loads(typed("basin", *given, "--json")[1])
    assert 0 < facts["share_run"] < 0.5


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["himmelblau"], "needs SURFACE and RULE, or a saved map"),
        (["himmelblau", "adm"], "'adm': no such rule; did you mean 'adam'"),
        (["himmelblau", "adam", "--momentum", "1"], "--momentum: no such option for adam"),
        (["adam", "himmelblau", "--foo"], "--foo: no such option for adam"),
        (["himmelblau", "adam", "--shape", "0"], "'0': must be at least 1"),
        (["himmelblau", "adam", "--shape", "1x2x3"], "must be ROWSxCOLUMNS"),
        (["himmelblau", "adam", "--bounds", "3,1"], "lower than the second"),
        (["himmelblau", "adam", "--slice", "0,1"], "two coordinates from 1"),
        (["himmelblau", "adam", "--slice", "1,3"], "has 2 coordinates"),
        (["himmelblau", "adam", "-o", "a.gif"], "--output a.gif: must end in .png, .npz"),
        (["himmelblau", "adam", "--figure", "/nowhere/a.png"], "cannot be written to"),
        (["nowhere.npz"], "nowhere.npz: No such file"),
        (["a.npz", "adam"], "'adam': does not go with a.npz, a saved map"),
        (["adam", "a.npz"], "'adam': does not go with a.npz, a saved map"),
        (["a.npz", "--shape", "10"], "--shape: does not go with a.npz"),
        (["a.npz", "--learning-rate", "3"], "--learning-rate: does not go with a.npz"),
        (["a.npz", "--fidelity"], "--fidelity: does not go with a.npz"),
    ],
)
def test_bad_basin_commands_are_refused_in_one_line(typed, arguments, error):
    status, out, err = typed("basin", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("fastopt basin: ")
    assert error in err


# -- fastopt sweep -----------------------------------------------------------------------

PLANE = ["--over", "learning_rate=1e-3:10:12:log", "--over", "momentum=0:0.9:4"]


def test_the_command_sweeps_a_plane(typed, tmp_path):
    image, file = tmp_path / "a.png", tmp_path / "a.npz"
    status, out, err = typed("sweep", "bowl", "momentum", *PLANE, "-o", image, "-o", file, *QUICK)
    assert (status, err) == (0, "")
    assert "12 values of learning_rate x 4 of momentum, 1 start" in out
    assert image.stat().st_size > 10_000
    over = {"learning_rate": np.geomspace(1e-3, 10, 12), "momentum": np.linspace(0, 0.9, 4)}
    direct = fo.parameter_map(fo.Momentum, fo.Bowl(), [-7, 2], over, max_steps=2000)
    np.testing.assert_array_equal(fo.ParameterMap.load(file).steps, direct.steps)
    again = tmp_path / "b.npz"
    status, out, err = typed("sweep", file, "--show", "fun", "-o", image, "-o", again)
    assert (status, err) == (0, "")
    assert "12 values of learning_rate x 4 of momentum, 1 start" in out
    assert again.read_bytes() == file.read_bytes()
    facts = json.loads(typed("sweep", file, "--json")[1])
    np.testing.assert_array_equal(np.array(facts["steps"], float), direct.steps)
    status, _, err = typed("sweep", file, *PLANE)
    assert (status, "--over: does not go with" in err) == (2, True)
    status, _, err = typed("basin", file)
    assert (status, "holds no basin map but a parameter map" in err) == (2, True)
    status, out, _ = typed("sweep", "momentum", "bowl", *PLANE, "--starts", 20, "--json", *QUICK)
    facts = json.loads(out)
    assert (status, facts["starts"], np.shape(facts["converged"])) == (0, 20, (4, 12))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "needs --over twice"),
        (["--over", "momentum=1"], "must be NAME=LOW:HIGH"),
        (["--over", "momentum=1:0"], "LOW < HIGH"),
        (["--over", "momentum=0:1:log"], "LOW must be > 0"),
        (["--over", "lr=0:1", *PLANE[2:]], "'lr': no such parameter; "),
        ([*PLANE, "--momentum", "0.5"], "momentum: is in over= and in fixed="),
        ([*PLANE, "-o", "a.gif"], "--output a.gif: must end in .npz, .png, .pdf, .svg"),
        ([*PLANE, "--show", "colour", "-o", "a.png"], "what='colour': must be one of steps"),
    ],
)
def test_bad_sweeps_are_refused_in_one_line(typed, arguments, error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = typed("sweep", "momentum", "bowl", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("fastopt sweep: ")
    assert error in err
