"""Every example in a docstring runs and prints what it says.

Not pytest's own --doctest-modules: it imports by path, which the packages refuse.
"""

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

PACKAGES = ["fadeline.simulator", "fadeline.models", "fadeline.channels", "fadeline.scenarios"]


def module_names() -> Iterator[str]:
    for package in PACKAGES:
        yield package
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, prefix=f"{package}."):
            yield module.name


@pytest.mark.parametrize("name", list(module_names()))
def test_doctests(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0, "the captured output shows the failed examples"
