"""Every shipped scenario, in short, gives the clips that it gave when they were first written down.

To the sixth digit, so that another processor's last bit does not matter. A change that is meant is
named in CHANGELOG, and written down by: FADELINE_GOLDEN=write pytest tests/simulator/test_golden.py
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fadeline.simulator import run
from fadeline.simulator.loading.load import shipped_names

FILE = Path(__file__).parents[1] / "golden" / "clips.json"
SHORT: dict[str, Any] = {"replications": 2, "duration_s": 4}
ACTING = {
    "edge.queue.drop_expired": True, "deadlines_s": [0.05, 0.1], "channel.sharing": "fifo",
    "channel.access_delay_s": 0.006, "devices.0.idle_power": True,
}  # fmt: skip
BLOCKS = {
    "channel.rate": {
        "kind": "finite-blocklength", "block_symbols": 288, "error_probability": 0.01,
    },
    "channel.sharing": "fdma", "warmup_s": "mser5",
    "edge.round_trip_s": {"kind": "exponential", "mean_s": 0.01},
}  # fmt: skip
CASES: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in shipped_names()} | {
    "rayleigh, acting on deadlines": ("rayleigh", ACTING),
    "rayleigh, blocks that are lost": ("rayleigh", BLOCKS),
}


def digest(clips: pd.DataFrame) -> str:
    found = hashlib.sha256()
    for name, values in clips.items():
        found.update(str(name).encode())
        numbers = values.dtype.kind == "f"
        text = (f"{value:.6g}" if numbers else str(value) for value in values.tolist())
        found.update("\n".join(text).encode())
    return found.hexdigest()


@pytest.mark.parametrize("case", CASES)
def test_clips_are_as_they_were(case):
    name, changes = CASES[case]
    found = digest(run(name, set=SHORT | changes).clips)
    golden = json.loads(FILE.read_text()) if FILE.exists() else {}
    if os.environ.get("FADELINE_GOLDEN") == "write":
        FILE.write_text(json.dumps(golden | {case: found}, indent=2, sort_keys=True) + "\n")
        return
    assert found == golden[case]
