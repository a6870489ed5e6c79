"""The one list of codecs: ours, and those of other packages."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from fadeline.models.card import read_card, weights_path
from fadeline.models.codecs.catalogue import CODECS, GROUP, CodecEntry, codec_entries, codec_entry
from fadeline.models.errors import PluginError
from fadeline.models.training.codec import new_codec

THEIRS = CodecEntry("tiny", "every eighth pixel", per_frame=True, shape="", load=f"{__name__}:made")


def offer(monkeypatch, *names):
    found = [EntryPoint(name, f"{__name__}:THEIRS", GROUP) for name in names]
    monkeypatch.setattr("fadeline.models.plugins.entry_points", lambda group: found)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[offer.__module__])


def test_ours_are_listed_with_the_shape_that_their_cards_have():
    assert [*codec_entries()][:3] == ["stae", "deepisc", "deepisc-task"]
    for entry in CODECS:
        card = read_card(weights_path(entry.shipped_weights))
        config = new_codec(entry.name).config  # type: ignore[arg-type]
        assert card.config["shape"] == entry.shape == type(config).__name__


def test_a_codec_of_ours_is_loaded_by_its_name():
    assert codec_entries()["deepisc"].loaded().name == "deepisc"


def test_the_codec_of_another_package_comes_after_ours(monkeypatch):
    offer(monkeypatch, "tiny")
    assert [*codec_entries()] == ["stae", "deepisc", "deepisc-task", "tiny"]
    assert codec_entry("tiny") is THEIRS


def test_other_packages_are_not_looked_at_for_a_codec_of_ours(monkeypatch):
    monkeypatch.setattr("fadeline.models.plugins.entry_points", lambda group: 1 / 0)
    assert codec_entry("stae") == CODECS[0]
    assert codec_entry("raw") is None


@pytest.mark.parametrize("name", ["stae", "raw", "constant"])
def test_no_package_may_take_a_name_of_ours(monkeypatch, name):
    offer(monkeypatch, name)
    with pytest.raises(PluginError, match=f"Fadeline has a {name} of its own"):
        codec_entries()


@pytest.mark.parametrize("load", ["no_such_module_here:load", "json:no_such_thing", "json", ""])
def test_an_entry_that_leads_nowhere_says_so(load):
    entry = CodecEntry("tiny", "", per_frame=True, shape="", load=load)
    with pytest.raises(PluginError, match=r"codec tiny: .*cannot be loaded.*module:callable"):
        entry.loaded()


def test_a_codec_without_weights_is_loaded_with_its_name(monkeypatch):
    monkeypatch.setattr(sys.modules[offer.__module__], "made", str.upper, raising=False)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[offer.__module__])
    loaded: object = THEIRS.loaded()
    assert loaded == "TINY"


def test_the_list_and_the_protocol_need_no_torch():
    code = (
        "import sys, fadeline.models.codecs.catalogue as c, fadeline.models.codecs.protocol\n"
        "c.codec_entries()\n"
        "sys.exit(bool({'torch', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
