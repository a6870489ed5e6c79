"""What other packages offer by entry points, and what is refused of it."""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType, SimpleNamespace

import pytest

from fadeline.models.errors import PluginError
from fadeline.models.plugins import plugins

GROUP = "fadeline.shapes"


class Shape:
    """What plugins of these tests must be."""


class Square(Shape):
    """One of them."""


@pytest.fixture
def offer(monkeypatch):
    """Return a function that installs entry points: offer(package, name, value), ..."""
    module: ModuleType = ModuleType("their_shapes")
    vars(module).update(Square=Square, square=Square(), number=3)
    monkeypatch.setitem(sys.modules, "their_shapes", module)

    def install(*offers):
        found = []
        for package, name, value in offers:
            point = EntryPoint(name, value, GROUP)
            vars(point)["dist"] = package and SimpleNamespace(name=package)
            found.append(point)
        monkeypatch.setattr(
            "fadeline.models.plugins.entry_points",
            lambda group: [point for point in found if point.group == group],
        )

    return install


def test_instances_and_subclasses_are_found_in_the_order_of_their_names(offer):
    offer(("b", "two", "their_shapes:square"), ("a", "one", "their_shapes:Square"))
    found = plugins(GROUP, Shape, taken=["circle"])
    assert [*found] == ["one", "two"]
    assert found["one"] is Square
    assert isinstance(found["two"], Square)


def test_a_group_without_entry_points_is_empty(offer):
    offer(("a", "one", "their_shapes:Square"))
    assert plugins("fadeline.colours", Shape, taken=[]) == {}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("no_such_module:Square", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("their_shapes:Circle", "AttributeError: "),
    ],
)
def test_what_fails_to_load_names_its_package(offer, value, why):
    offer(("shapes-ltd", "one", value))
    with pytest.raises(PluginError) as refusal:
        plugins(GROUP, Shape, taken=[])
    assert str(refusal.value).startswith(
        f"package shapes-ltd, entry point one of {GROUP}: cannot be loaded: {why}"
    )
    assert str(refusal.value).endswith("update or uninstall shapes-ltd")


@pytest.mark.parametrize("value", ["their_shapes:number", "builtins:int"])
def test_what_is_of_another_type_names_its_package(offer, value):
    offer(("shapes-ltd", "one", value))
    message = rf"package shapes-ltd, .*: {value} must be of .*\.Shape; update or uninstall shapes"
    with pytest.raises(PluginError, match=message):
        plugins(GROUP, Shape, taken=[])


def test_a_name_of_ours_is_refused_before_anything_is_loaded(offer):
    offer(("shapes-ltd", "circle", "no_such_module:Circle"))
    with pytest.raises(
        PluginError, match=r"Fadeline has a circle of its own.*uninstall shapes-ltd"
    ):
        plugins(GROUP, Shape, taken=["circle"])


def test_a_name_that_two_packages_offer_names_both(offer):
    offer(("second", "one", "their_shapes:Square"), ("first", "one", "their_shapes:Square"))
    with pytest.raises(PluginError, match=r"package second, .*: package first offers one, too"):
        plugins(GROUP, Shape, taken=[])


def test_an_entry_point_of_no_package_is_said_to_be_so(offer):
    offer((None, "one", "no_such_module:Square"))
    with pytest.raises(PluginError, match="package of an unknown name, entry point one"):
        plugins(GROUP, Shape, taken=[])
