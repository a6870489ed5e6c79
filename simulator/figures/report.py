"""The report of a run: one page that needs nothing else."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd

from fadeline.simulator.analysis.results import Results
from fadeline.simulator.scenario.scenario import Scenario

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-size: 13px; }
th, td { text-align: right; padding: 2px 10px; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; }
pre { background: #f5f5f5; padding: 1rem; overflow-x: auto; }
"""


def report_page(
    scenario: Scenario, results: Results, lines: Sequence[str], figures: Sequence[Path]
) -> str:
    """Return a run as HTML: verdict, figures, summary and the scenario itself."""
    images = "\n".join(
        f'<img alt="{escape(path.stem)}" src="data:image/svg+xml;base64,'
        f'{base64.b64encode(path.read_bytes()).decode()}">'
        for path in figures
        if path.suffix == ".svg"
    )
    resolved = escape(scenario.model_dump_json(exclude_unset=True, indent=2))
    verdict = "\n".join(map(escape, lines))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(scenario.name)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(scenario.name)}</h1>\n<pre>{verdict}</pre>\n{images}\n"
        f"<h2>Schemes</h2>\n{_table(results.summary)}\n"
        f"<h2>Scenario</h2>\n<pre>{resolved}</pre>\n</body></html>\n"
    )


def _table(rows: pd.DataFrame) -> str:
    text: str = rows.to_html(index=False, border=0, float_format=lambda value: f"{value:.4g}")
    return text
