"""The wheel holds every file of the four package folders and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["simulator", "models", "channels", "scenarios"]


@pytest.mark.slow
def test_wheel_holds_exactly_the_package_folders(tmp_path: Path) -> None:
    # A copy, so that leftovers of earlier builds cannot hide a missing file.
    source = tmp_path / "source"
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, source / package, ignore=ignored)
    for name in ["pyproject.toml", "README.md", "LICENSE"]:
        shutil.copy(ROOT / name, source)
    expected = {
        f"fadeline/{path.relative_to(source).as_posix()}"
        for package in PACKAGES
        for path in (source / package).rglob("*")
        if path.is_file()
    }

    # The sdist is built first and the wheel from it: a file that either one loses is missing.
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path / "dist")]
    result = subprocess.run(build, cwd=source, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr

    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    remedy = "see packages, package-dir and package-data in pyproject.toml"
    assert expected - shipped == set(), f"not shipped; {remedy}"
    assert shipped - expected == set(), f"shipped by mistake; {remedy}"
