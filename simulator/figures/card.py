"""A run in a notebook: its figure over its verdict."""

import base64
from collections.abc import Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from fadeline.simulator.figures.style import house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def run_card(lines: Sequence[str], figure: "Figure") -> str:
    """Return figure and verdict as HTML.

    Args:
        lines: Of the verdict.
        figure: The main one.
    """
    drawn = BytesIO()
    with house_style():
        figure.savefig(drawn, format="png", dpi=110)
    image = base64.b64encode(drawn.getvalue()).decode()
    text = "\n".join(map(escape, lines))
    return (
        f'<img alt="accuracy against deadline" src="data:image/png;base64,{image}">'
        f"<pre>{text}</pre>"
    )
