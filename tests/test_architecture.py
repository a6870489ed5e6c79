"""What may be imported, how, and what an import costs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["simulator", "models", "channels", "scenarios"]
HEAVY = ["torch", "sionna", "matplotlib", "pandas", "scipy.stats"]


def run_python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


def test_simulator_import_loads_nothing_heavy(tmp_path: Path) -> None:
    code = "import json, sys, fadeline.simulator; print(json.dumps(list(sys.modules)))"
    result = run_python(code, tmp_path)
    assert result.returncode == 0, result.stderr
    assert set(HEAVY).isdisjoint(json.loads(result.stdout))


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_marked_as_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_bare_import_is_refused(package: str) -> None:
    result = run_python(f"import {package}", ROOT)
    assert result.returncode != 0
    assert f"ImportError: import fadeline.{package}, not {package}" in result.stderr
