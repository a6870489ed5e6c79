"""The figure of accuracy against compression ratio."""

from typing import TYPE_CHECKING, Any

from fadeline.simulator.figures.channel import QUIET
from fadeline.simulator.figures.style import add_legend, house_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# Okabe and Ito's palette, as in the other figures; markers tell the codecs apart in grey.
CODEC_STYLES = {
    "stae": ("#0072B2", "o"),
    "deepisc-task": ("#D55E00", "s"),
    "deepisc": ("#009E73", "^"),
}
_OTHER_STYLE = ("#CC79A7", "D")

_TICKS = (20, 50, 100, 200, 500, 1000, 2000)


def rate_figure(rows: "pd.DataFrame", title: str) -> "Figure":
    """Return a figure of `rate_accuracy` rows: a panel for each kind of classifier.

    Streams of several packets are left out: they are compared by what arrives, not by ratio.
    """
    from matplotlib.figure import Figure

    plain = rows[rows.codec == "uncompressed"].iloc[0]
    coded = rows[(rows.codec != "uncompressed") & (rows.packets == 1)]
    panels = [name for name in ("own", "frozen") if (coded.classifier == name).any()]
    titles = {"own": "classifier trained along", "frozen": "classifier of uncompressed clips"}
    with house_style():
        figure = Figure(figsize=(4.4 * len(panels), 3.6), layout="constrained")
        axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axis, name in zip(axes, panels, strict=True):
            named = _panel(axis, coded[coded.classifier == name], plain)
            if axis is axes[0]:
                add_legend(axis, list(named.values()), list(named), loc="lower left")
            axis.set_title(titles[name])
        axes[0].set_ylabel("accuracy")
        figure.suptitle(title)
    return figure


def _panel(axis: Any, coded: "pd.DataFrame", plain: Any) -> dict[str, Any]:
    """Draw a panel and return its lines by name."""
    axis.axhspan(plain.accuracy_lo, plain.accuracy_hi, color=QUIET, alpha=0.15, linewidth=0)
    named = {"uncompressed": axis.axhline(plain.accuracy, color=QUIET, linestyle=":")}
    for codec, group in coded.groupby("codec", sort=False):
        colour, marker = CODEC_STYLES.get(str(codec), _OTHER_STYLE)
        line = group.sort_values("ratio")
        axis.fill_between(
            line.ratio, line.accuracy_lo, line.accuracy_hi, color=colour, alpha=0.15, linewidth=0
        )
        (named[str(codec)],) = axis.plot(
            line.ratio, line.accuracy, color=colour, marker=marker, ms=4
        )
    axis.set_xscale("log")
    axis.set_xticks(_TICKS, [f"{tick:,}" for tick in _TICKS])
    axis.minorticks_off()
    axis.set_ylim(0.0, 1.0)
    axis.set_xlabel("compression ratio, from 8-bit pixels")
    return named
