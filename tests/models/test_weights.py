"""Weights and their cards: what is stored, and what is refused."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from torch import nn

from fadeline.models import card
from fadeline.models.classifiers.stored_vit import load_vit
from fadeline.models.classifiers.vit import VideoViT
from fadeline.models.errors import WeightsError
from fadeline.models.weights import (
    load_weights,
    read_card,
    save_weights,
    weights_path,
)


@pytest.fixture
def vit(micro):
    return VideoViT(micro, seed=3).eval()


@pytest.fixture
def stored(vit, blank_card, tmp_path):
    """Return the path of stored weights."""
    path = tmp_path / "squares.safetensors"
    save_weights(vit, path, replace(blank_card, config=asdict(vit.config)))
    return path


def test_what_is_saved_is_loaded(vit, stored):
    model, card = load_vit(stored)
    assert model.config == vit.config
    assert not model.training
    clips = torch.rand(2, 3, 8, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(model(clips), vit(clips))
    assert card.task == "which way a square moves"


def test_the_card_spells_out_the_accuracy_and_its_interval(stored):
    content = json.loads(stored.with_suffix(".json").read_text())
    assert content["accuracy"] == 0.75
    low, high = content["accuracy_interval"]
    assert 0.66 < low < 0.75 < high < 0.82
    assert content["seed_spread"] == "missing"
    assert read_card(stored).accuracy.value == 0.75


def test_only_the_two_files_are_left(stored):
    names = sorted(path.name for path in stored.parent.iterdir())
    assert names == ["squares.json", "squares.safetensors"]


@pytest.mark.parametrize("place", [0, 200, -1], ids=["first", "header", "last"])
def test_a_changed_byte_is_found(stored, place):
    data = bytearray(stored.read_bytes())
    data[place] ^= 1
    stored.write_bytes(data)
    with pytest.raises(WeightsError, match="is damaged or was replaced: its SHA-256 is"):
        load_vit(stored)


def test_a_missing_card_is_named(stored):
    stored.with_suffix(".json").unlink()
    with pytest.raises(WeightsError, match=r"squares\.json: the card of squares\.safetensors is m"):
        load_vit(stored)


def test_a_missing_file_is_named(stored):
    stored.unlink()
    with pytest.raises(WeightsError, match=r"squares\.safetensors: no such weights file"):
        load_vit(stored)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"task": 1}', "\x00"], ids=repr)
def test_a_card_that_is_none_is_refused(stored, text):
    stored.with_suffix(".json").write_text(text)
    with pytest.raises(WeightsError, match=r"squares\.json: is no readable card"):
        load_vit(stored)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"correct": "x"},
        {"correct": 9, "count": 8},
        {"correct": True},
        {"config": 3},
        {"controls": None},
        {"classes": None},
        {"classes": [1, 2]},
    ],
    ids=str,
)
def test_a_card_with_nonsense_in_it_is_refused(stored, nonsense):
    beside = stored.with_suffix(".json")
    beside.write_text(json.dumps(json.loads(beside.read_text()) | nonsense))
    with pytest.raises(WeightsError, match=r"squares\.json: is no readable card: "):
        load_vit(stored)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"classes": 4, "heads": 0}, "its card has no valid config"),
        ({}, "its card has no valid config"),
        ({"classes": 4, "heads": 7}, r"its card has no valid config: dim 192 must be a multiple"),
        ({"classes": 4, "size": 64}, "its card has no valid config"),
    ],
    ids=["no heads", "empty", "impossible", "unknown"],
)
def test_a_card_of_an_impossible_network_is_refused(vit, blank_card, tmp_path, config, message):
    path = tmp_path / "a.safetensors"
    save_weights(vit, path, replace(blank_card, config=config))
    with pytest.raises(WeightsError, match=message):
        load_vit(path)


def test_a_card_of_another_shape_is_refused(vit, blank_card, tmp_path):
    path = tmp_path / "a.safetensors"
    config = asdict(replace(vit.config, dim=16))
    save_weights(vit, path, replace(blank_card, config=config))
    with pytest.raises(WeightsError, match="does not fit this VideoViT"):
        load_vit(path)


def test_weights_of_another_kind_of_network_are_refused(blank_card, tmp_path, vit):
    path = tmp_path / "a.safetensors"
    save_weights(nn.Linear(2, 2), path, replace(blank_card, architecture="Linear"))
    with pytest.raises(WeightsError, match="holds a Linear, not a VideoViT"):
        load_vit(path)
    with pytest.raises(WeightsError, match="holds a Linear, not a VideoViT"):
        load_weights(vit, path)


def test_another_ending_is_refused(vit, blank_card, tmp_path):
    with pytest.raises(WeightsError, match=r"must be named NAME\.safetensors"):
        save_weights(vit, tmp_path / "a.pt", blank_card)


def test_a_folder_that_cannot_be_written_is_an_error(vit, blank_card, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WeightsError, match="cannot be written: "):
        save_weights(vit, tmp_path / "file" / "a.safetensors", blank_card)


def test_shipped_weights_are_found_by_name(stored, monkeypatch):
    monkeypatch.setattr(card, "shipped_weights", lambda: {"vit-a": stored})
    assert weights_path("vit-a") == stored
    assert weights_path("runs/a.safetensors").name == "a.safetensors"
    with pytest.raises(WeightsError, match="vit-b: no such weights; shipped are vit-a; a file"):
        weights_path("vit-b")
