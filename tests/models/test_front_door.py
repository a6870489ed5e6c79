"""What `fadeline.models` offers to whoever writes Python."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

import fadeline.models as front
from fadeline.models.card import classifier_path, weights_path
from fadeline.models.codecs.operating_point import OperatingPoint
from fadeline.models.data import opening
from fadeline.models.data.opening import open_clips
from fadeline.models.hardware import machine


def test_importing_it_loads_nothing_heavy():
    code = (
        "import sys, fadeline.models as m\n"
        "assert m.WeightsError and 'train_codec' in dir(m)\n"
        "sys.exit(bool({'torch', 'pandas', 'scipy', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", front.__all__)
def test_every_name_is_there(name):
    assert getattr(front, name).__name__ == name


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'fadeline\.models' has no attribute 'train'"):
        front.train  # noqa: B018


@pytest.mark.parametrize("codec", ["stae", "deepisc"])
def test_a_clip_is_encoded_and_restored(codec):
    clip = open_clips("actions/test").clip(0)
    stream = front.encode(clip, codec, ratio=104)
    assert stream == front.encode(clip, front.load_codec(codec), point=2)
    assert 50 < clip.size / len(stream) < 200
    restored = front.decode(stream, codec)
    assert restored.shape == clip.shape
    assert restored.dtype == np.uint8
    error = np.square(restored.astype(float) - clip).mean()
    assert error < np.square(clip - clip.mean()).mean() / 2


@pytest.mark.parametrize("settings", [{}, {"ratio": 104, "point": 2}])
def test_an_operating_point_is_chosen_in_one_way(settings):
    with pytest.raises(ValueError, match="give either a ratio"):
        front.encode(np.zeros((16, 64, 64, 3), np.uint8), **settings)


def test_streams_of_another_codec_are_refused():
    stream = front.encode(np.zeros((16, 64, 64, 3), np.uint8), "deepisc", point=0)
    with pytest.raises(front.BitstreamError):
        front.decode(stream, "stae")


def test_new_weights_under_an_old_name_are_used(tmp_path):
    mine, clip = tmp_path / "mine.safetensors", np.zeros((16, 64, 64, 3), np.uint8)

    def encoded(weights):
        source = weights_path(weights)
        for before, after in ((source, mine), (classifier_path(source), classifier_path(mine))):
            shutil.copyfile(before, after)
            shutil.copyfile(before.with_suffix(".json"), after.with_suffix(".json"))
        return front.encode(clip, str(mine), point=2)

    assert encoded("stae-actions") == front.encode(clip, "stae", point=2)
    stream = encoded("deepisc-actions")
    assert stream == front.encode(clip, "deepisc", point=2)
    assert front.decode(stream, str(mine)).shape == clip.shape


@pytest.fixture
def small_sets(monkeypatch, tmp_path, squares, one_thread):
    """Open moving squares as squares/train and squares/val."""

    def open_squares(name, *, frames, size, **_):
        assert (frames, size) == (8, 16)
        clips = {"squares/train": squares(64), "squares/val": squares(16, 1)}[name]
        clips.name = name
        return clips

    monkeypatch.setattr(opening, "open_clips", open_squares)
    monkeypatch.setattr(machine, "usable_cores", lambda: 1)
    monkeypatch.setenv("FADELINE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def vit(micro, blank_card, tmp_path):
    from dataclasses import replace

    from fadeline.models.classifiers.vit import VideoViT
    from fadeline.models.weights import save_weights

    card = replace(blank_card, config=asdict(micro))
    save_weights(VideoViT(micro, seed=1).eval(), tmp_path / "vit.safetensors", card)
    return str(tmp_path / "vit.safetensors")


@pytest.mark.slow
def test_a_codec_is_trained_and_gone_on_with(small_sets, vit, tmp_path, monkeypatch):
    from fadeline.models.codecs.learned.codec import LearnedCodec
    from fadeline.models.codecs.learned.stae import StaeConfig
    from fadeline.models.training import train_codec

    def small(name, *, seed):
        points = [OperatingPoint(20, 8, 32, 6, 20), OperatingPoint(60, 6, 16, 4, 3)]
        shape = StaeConfig(2, 8, 16, 8, 16, 6, 8, 8)
        return LearnedCodec(shape, points, seed=seed)

    monkeypatch.setattr(train_codec, "new_codec", small)
    seen: list[Any] = []

    def train(out, **settings):
        return front.train_codec(
            "stae", tmp_path / out, data="squares", classifier=vit, length=0.01,
            precision="32-true", progress=seen.append, **settings,
        )  # fmt: skip

    first, again, other = train("a"), train("a", resume=True), train("b", seed=2)
    assert first.codec.card.sha256 == again.codec.card.sha256 != other.codec.card.sha256
    assert first.path == tmp_path / "a/stae.safetensors"
    assert first.codec.card.command == "fadeline.models.train_codec"
    assert len(first.rows) == 3
    stages = dict.fromkeys(each.stage for each in seen)
    assert [*stages] == [
        "caching squares/train", "caching squares/val", "step soft", "step hard", "step joint",
        "probability tables",
    ]  # fmt: skip
    for each in seen:
        assert 0 <= each.done <= each.total
    clip = first.validation.clip(0)
    assert front.decode(front.encode(clip, first.codec, point=0), first.codec).shape == clip.shape
    with pytest.raises(front.WeightsError, match="holds STAE; deepisc cannot go on from it"):
        front.train_codec("deepisc", tmp_path / "c", init=str(first.path), classifier=vit)
    with pytest.raises(front.ModelsError, match="batch_size 32 must be a multiple of devices 3"):
        front.train_codec("stae", tmp_path / "c", devices=3)


def test_a_vit_is_trained(small_sets, tmp_path, micro, monkeypatch):
    from fadeline.models.training import train_vit

    monkeypatch.setattr(train_vit, "vit_preset", lambda name, *, classes: micro)
    seen: list[Any] = []
    said: list[str] = []

    def train(out, **settings):
        return front.train_vit(
            tmp_path / out, data="squares", epochs=1, stem_epochs=1, precision="32-true",
            progress=seen.append, log=said.append, **settings,
        )  # fmt: skip

    first, again, other = train("a"), train("a", resume=True), train("b", seed=2)
    assert first.card.sha256 == again.card.sha256 != other.card.sha256
    assert (first.card.count, len(first.rows)) == (16, 2)
    assert first.path.is_file()
    assert first.confusion.is_file()
    assert "step whole" in {each.stage for each in seen}
    assert front.load_vit(first.path)[1].sha256 == first.card.sha256
    with pytest.raises(front.ModelsError, match="epochs must be positive, got -1"):
        front.train_vit(tmp_path / "c", epochs=-1)


def test_a_thread_trains_the_same_weights(small_sets, tmp_path, micro, monkeypatch):
    from fadeline.models.training import train_vit

    monkeypatch.setattr(train_vit, "vit_preset", lambda name, *, classes: micro)

    def train(out):
        return front.train_vit(
            tmp_path / out, data="squares", epochs=1, stem_epochs=0, precision="32-true"
        )

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(train, "a").result().card.sha256 == train("b").card.sha256


def test_a_prompt_does_not_train_on_several_devices(small_sets, tmp_path, micro, monkeypatch):
    from fadeline.models.training import train_vit

    monkeypatch.setattr(train_vit, "vit_preset", lambda name, *, classes: micro)
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    with pytest.raises(front.ModelsError, match=r"devices is 2: a notebook .* use devices=1"):
        front.train_vit(tmp_path, data="squares", devices=2)
