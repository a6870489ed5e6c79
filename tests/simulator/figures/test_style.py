"""How figures look: the same under any matplotlibrc, with names as they are written."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from fadeline.models.classifiers.evaluation import Evaluation, save_confusion
from fadeline.simulator.analysis.curves import STAGES
from fadeline.simulator.figures.channel import save_figure
from fadeline.simulator.figures.rate import rate_figure
from fadeline.simulator.figures.restoration import Restoration, restoration_figure
from fadeline.simulator.figures.run import (
    accuracy_figure,
    heat_figure,
    misses_figure,
    stages_figure,
    sweep_figure,
)
from fadeline.simulator.figures.style import add_legend, house_style

NAMES = ["_old", "cost$5 and $6_", r"a^2_{b}\frac", "__", "_child0", "plain"]


def accuracy(names):
    columns = {"deadline_s": [0.01, 0.02], "accuracy": 0.5, "reliability": 0.6, "replications": 10}
    columns |= {"snr": [1, 2], "path": ["_a$1$", "b"]}
    for name in ("accuracy", "reliability"):
        for end, value in (("lo", 0.4), ("hi", 0.7)):
            columns |= {f"{name}_{part}{end}": value for part in ("", "band_", "total_")}
    return pd.concat([pd.DataFrame({"scheme": name, **columns}) for name in names])


def rates(names):
    rows = [("uncompressed", "frozen", 1.0)]
    rows += [(name, "own", ratio) for name in names for ratio in (50.0, 100.0)]
    table = pd.DataFrame(rows, columns=["codec", "classifier", "ratio"])
    return table.assign(packets=1, accuracy=0.5, accuracy_lo=0.4, accuracy_hi=0.6)


def stages(names):
    return pd.DataFrame([{"scheme": name, **dict.fromkeys(STAGES, 0.01)} for name in names])


def texts(figure):
    from matplotlib.text import Text

    return [text for text in figure.findobj(Text) if text.get_text()]


def legend_names(figure):
    legends = list(figure.legends)
    legends += [axis.get_legend() for axis in figure.axes if axis.get_legend() is not None]
    (legend,) = legends
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize(
    ("figure", "extra"),
    [
        (lambda: accuracy_figure(accuracy(NAMES), "$t_", 0.01), []),
        (lambda: sweep_figure(accuracy(NAMES), "snr", "t"), []),
        (lambda: sweep_figure(accuracy(NAMES), "path", "t"), []),
        (lambda: rate_figure(rates(NAMES), "t"), ["uncompressed"]),
    ],
    ids=["accuracy", "sweep", "sweep-of-texts", "rate"],
)
def test_legends_show_every_name_as_it_is_written(figure, extra, tmp_path):
    made = figure()
    assert legend_names(made) == extra + NAMES
    assert not any(text.get_parse_math() for text in texts(made))
    save_figure(made, tmp_path, "a")  # a lone \frac would be refused as mathematics


@pytest.mark.parametrize(
    "figure",
    [
        lambda: stages_figure(stages(NAMES), "t", 1.0),
        lambda: misses_figure(stages(NAMES).assign(deadline_s=0.1), "t"),
        lambda: heat_figure(accuracy(NAMES), ["snr", "deadline_s"], "t"),
    ],
    ids=["stages", "misses", "heat"],
)
def test_axes_and_titles_show_every_name_as_it_is_written(figure, tmp_path):
    made = figure()
    save_figure(made, tmp_path, "a")  # which makes the labels of the axes
    assert set(NAMES) <= {text.get_text() for text in texts(made)}
    assert not any(text.get_parse_math() for text in texts(made))


def test_a_closed_form_is_named_once():
    theory = accuracy(NAMES)[["scheme", "deadline_s", "accuracy"]]
    figure = accuracy_figure(accuracy(NAMES), "t", 0.01, theory)
    assert legend_names(figure) == [*NAMES, "closed form, no queues"]


def test_a_legend_explains_what_it_is_given():
    figure = Figure()
    axis = figure.subplots()
    lines = [*axis.plot([0, 1], color="#ff0000"), *axis.plot([1, 0], color="#0000ff")]
    add_legend(axis, lines[::-1], ["_b", "a"])
    legend = axis.get_legend()
    assert [line.get_color() for line in legend.get_lines()] == ["#0000ff", "#ff0000"]
    assert [text.get_text() for text in legend.get_texts()] == ["_b", "a"]


def test_settings_outside_are_left_as_they_were():
    before = dict(mpl.rcParams)
    with mpl.rc_context({"font.size": 31.0}):
        with house_style(axes_grid=False):
            assert (mpl.rcParams["font.size"], mpl.rcParams["axes.grid"]) == (9.0, False)
            assert mpl.rcParams["svg.hashsalt"] == "fadeline"
        assert mpl.rcParams["font.size"] == 31.0
    assert dict(mpl.rcParams) == before


RC = """\
text.usetex: True
font.family: a font that nobody has
font.size: 40
backend: TkAgg
figure.dpi: 17
savefig.dpi: 19
savefig.bbox: tight
savefig.facecolor: black
svg.fonttype: none
axes.formatter.use_mathtext: True
axes.prop_cycle: cycler('color', ['ff0000'])
"""


def draw_all(folder):
    """Save a figure of every kind; run as a script, under a matplotlibrc of its own."""
    save_figure(accuracy_figure(accuracy(NAMES), "t", 0.01), folder, "accuracy")
    save_figure(stages_figure(stages(NAMES), "t", 1.0), folder, "stages")
    pixels = np.zeros((2, 8, 8, 3), np.uint8)
    restored = Restoration(np.ones((2, 2, 2), bool), pixels, 5, "wave")
    save_figure(restoration_figure([("wave_", pixels, {"_old": restored})], "t"), folder, "kept")
    save_confusion(
        Evaluation(("a", "b"), np.array([0, 1]), np.eye(2, dtype=np.float32)),
        folder / "confusion.png",
    )


@pytest.mark.slow
def test_the_users_matplotlibrc_changes_no_byte_of_a_figure(tmp_path):
    made = {}
    for name, text in (("plain", ""), ("odd", RC)):
        rc, folder = tmp_path / f"{name}.rc", tmp_path / name
        rc.write_text(text)
        folder.mkdir()
        env = os.environ | {"MATPLOTLIBRC": str(rc)}
        subprocess.run([sys.executable, __file__, str(folder)], env=env, check=True)
        made[name] = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(made["plain"]) == 7
    assert made["odd"] == made["plain"]


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]))
