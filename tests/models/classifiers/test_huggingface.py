"""A Hugging Face classifier behind our interface; a small random one, made here."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from fadeline.models.classifiers.huggingface import IMAGENET_MEAN, IMAGENET_STD, load_huggingface
from fadeline.models.errors import WeightsError


@pytest.fixture(scope="module")
def network():
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification

    config = VideoMAEConfig(
        image_size=16,
        patch_size=8,
        num_frames=4,
        tubelet_size=2,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        id2label={0: "jump", 1: "run", 2: "sit"},
        initializer_range=0.3,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return VideoMAEForVideoClassification(config).eval()


@pytest.fixture
def folder(network, tmp_path):
    network.save_pretrained(tmp_path)
    return tmp_path


def clips(side_px=16):
    generator = torch.Generator().manual_seed(2)
    return torch.rand(2, 3, 4, side_px, side_px, generator=generator)


def normalised(clips, mean, std):
    frames = clips.transpose(1, 2)
    return (frames - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)


def test_logits_are_those_of_the_network_on_normalised_frames(network, folder):
    with torch.no_grad():
        expected = network(normalised(clips(), IMAGENET_MEAN, IMAGENET_STD)).logits
        found = load_huggingface(folder, offline=True)
        torch.testing.assert_close(found(clips()), expected)
    assert found.classes == ("jump", "run", "sit")


def test_its_own_normalisation_is_used(network, folder):
    own = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4]}
    (folder / "preprocessor_config.json").write_text(json.dumps(own))
    with torch.no_grad():
        expected = network(normalised(clips(), *own.values())).logits
        torch.testing.assert_close(load_huggingface(folder, offline=True)(clips()), expected)


def test_clips_of_another_size_are_resized(folder):
    flat = torch.full((1, 3, 4, 1, 1), 0.25)
    classifier = load_huggingface(folder, offline=True)
    with torch.no_grad():
        small = classifier(flat.expand(1, 3, 4, 16, 16))
        large = classifier(flat.expand(1, 3, 4, 48, 48))
    torch.testing.assert_close(small, large)


def test_another_number_of_frames_is_refused(folder):
    with pytest.raises(ValueError, match=r"must be \(B, 3, 4, H, W\), got \(2, 3, 2, 16, 16\)"):
        load_huggingface(folder, offline=True)(clips()[:, :, :2])


def test_a_folder_without_a_classifier_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="cannot be read as a VideoMAE classifier"):
        load_huggingface(tmp_path, offline=True)


def test_a_network_without_a_classifier_is_refused(folder):
    weights = load_file(folder / "model.safetensors")
    headless = {name: x for name, x in weights.items() if not name.startswith("classifier.")}
    save_file(headless, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match=r"has no weights for classifier\.bias, classifier"):
        load_huggingface(folder, offline=True)
