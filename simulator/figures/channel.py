"""Figures: data in, matplotlib figure out; nothing is simulated and no file is read here."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fadeline.simulator.figures.style import house_style
from fadeline.simulator.links.sample import ChannelSample
from fadeline.simulator.output import complete_or_absent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design", 2008: told apart by colour-blind readers; the line
# styles tell them apart in grey.
SAMPLED = "#0072B2"
THEORY = "#D55E00"
QUIET = "#666666"


def channel_figure(sample: ChannelSample) -> "Figure":
    """Return a figure of a channel: SNR over time, envelope, autocorrelation and rate.

    Panels that have no meaning for the channel are left out.
    """
    from matplotlib.figure import Figure

    panels: list[Callable[[Any, ChannelSample], None]] = []
    if sample.snr_db is not None:
        panels.append(_snr_panel)
    if sample.envelope is not None:
        panels.append(_envelope_panel)
    if sample.autocorrelation is not None:
        panels.append(_autocorrelation_panel)
    panels.append(_rate_panel)
    rows = (len(panels) + 1) // 2
    with house_style():
        figure = Figure(figsize=(8.0, 0.6 + 2.7 * rows), layout="constrained")
        axes = figure.subplots(rows, min(2, len(panels)), squeeze=False).flat
        for panel, axis in zip(panels, axes, strict=False):
            panel(axis, sample)
        for axis in list(axes)[len(panels) :]:
            axis.set_axis_off()
        figure.suptitle(sample.title)
    return figure


def save_figure(figure: "Figure", folder: Path, stem: str) -> list[Path]:
    """Write a figure as PNG and SVG, the same bytes each time, and return the paths."""
    paths = []
    with house_style():
        for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
            path = folder / f"{stem}{suffix}"
            with complete_or_absent(path) as partial:
                figure.savefig(partial, dpi=200, metadata=metadata)
            paths.append(path)
    return paths


def _snr_panel(axis: Any, sample: ChannelSample) -> None:
    assert sample.snr_db is not None
    # An outage has an SNR of minus infinity; the line then stops instead of falling off the axis.
    axis.stairs(sample.snr_db, sample.edges_s, baseline=None, color=SAMPLED, linewidth=0.9)
    if sample.mean_snr_db is not None:
        label = f"mean of the run, {sample.mean_snr_db:.1f} dB"
        axis.axhline(sample.mean_snr_db, color=THEORY, linestyle=":", label=label)
        axis.legend(loc="lower left")
    axis.set(xlabel="Time (s)", ylabel=f"{sample.snr_name} (dB)", title="The first device")
    axis.margins(x=0)


def _envelope_panel(axis: Any, sample: ChannelSample) -> None:
    curve = sample.envelope
    assert curve is not None
    axis.stairs(curve.sampled, _edges(curve.x), fill=True, color=SAMPLED, alpha=0.35)
    axis.stairs(curve.sampled, _edges(curve.x), color=SAMPLED, label="simulated")
    axis.plot(curve.x, curve.theory, color=THEORY, linestyle="--", label="theory")
    axis.set(xlabel="Envelope over its rms", ylabel="Probability density", title="Envelope")
    axis.set_xlim(0, 3)
    axis.set_ylim(bottom=0)
    axis.legend()


def _autocorrelation_panel(axis: Any, sample: ChannelSample) -> None:
    curve = sample.autocorrelation
    assert curve is not None
    axis.plot(1e3 * curve.x, curve.sampled, color=SAMPLED, label="simulated")
    axis.plot(1e3 * curve.x, curve.theory, color=THEORY, linestyle="--", label="theory")
    axis.axhline(0, color=QUIET, linewidth=0.6)
    axis.set(xlabel="Lag (ms)", ylabel="Correlation, real part", title="Autocorrelation")
    axis.margins(x=0)
    axis.legend()


def _rate_panel(axis: Any, sample: ChannelSample) -> None:
    curve = sample.rate
    axis.plot(curve.x / 1e6, curve.sampled, color=SAMPLED, label="simulated")
    if curve.theory is not None:
        axis.plot(curve.x / 1e6, curve.theory, color=THEORY, linestyle="--", label="theory")
    label = f"mean, {sample.mean_rate_bps / 1e6:.3g} Mbit/s"
    axis.axvline(sample.mean_rate_bps / 1e6, color=QUIET, linestyle=":", label=label)
    axis.set(
        xlabel="Rate (Mbit/s)",
        ylabel="Share of time at or below",
        title="Rate of a device alone on the link",
    )
    axis.set_ylim(0, 1.02)
    axis.margins(x=0)
    axis.legend(loc="best")


def _edges(middles: Any) -> Any:
    import numpy as np

    half = (middles[1] - middles[0]) / 2.0
    return np.append(middles - half, middles[-1] + half)
