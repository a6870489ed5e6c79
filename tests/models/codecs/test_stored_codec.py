"""A codec from training to disk and back, and what is measured of it."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from fadeline.models.classifiers.vit import VideoViT
from fadeline.models.codecs.learned.codec import LearnedCodec
from fadeline.models.codecs.learned.deepisc import DeepIscConfig
from fadeline.models.codecs.learned.stae import StaeConfig
from fadeline.models.codecs.operating_point import OperatingPoint
from fadeline.models.codecs.stored_codec import load_codec
from fadeline.models.errors import ClipError, OutcomesError, WeightsError
from fadeline.models.hardware.latency import Effort
from fadeline.models.measurement import measuring
from fadeline.models.measurement.measuring import measure_outcomes
from fadeline.models.measurement.outcomes import read_outcomes, write_outcomes
from fadeline.models.measurement.rate_accuracy import rate_accuracy
from fadeline.models.training.codec import codec_recipe, fit_codec, new_codec
from fadeline.models.training.codec_card import save_codec
from fadeline.models.training.codec_objective import CodecInTraining

SMALL = {
    "frames": 8, "size_px": 16, "patch_features": 8, "features": 16, "channels": 6,
    "decoder_features": 8, "pixel_features": 8,
}  # fmt: skip


def small_codec(name, seed=1):
    if name == "stae":
        points = [
            OperatingPoint(20, 8, 32, 6, 20),
            OperatingPoint(60, 6, 16, 4, 3),
            OperatingPoint(30, 8, 24, 6, 7, packets=2),
        ]
        return LearnedCodec(StaeConfig(3, **SMALL), points, seed=seed)
    points = [
        OperatingPoint(20, 8, 32, 6, 7),
        OperatingPoint(60, 8, 32, 4, 3),
        OperatingPoint(30, 8, 32, 6, 7, packets=2),
    ]
    return LearnedCodec(DeepIscConfig(3, **SMALL), points, seed=seed)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Time codecs for an instant: what their times are is of no matter here."""
    effort = Effort(warmup_s=0.0, measure_s=0.0, at_least=2)
    monkeypatch.setattr(measuring, "TIMED", effort)


@pytest.fixture(params=["stae", "deepisc", "deepisc-task"])
def trained(request, one_thread, squares, micro, tmp_path, blank_card):
    """Return a codec trained for a moment, its classifier's card and its weights' path."""
    model = CodecInTraining(small_codec(request.param), VideoViT(micro, seed=1).eval())
    recipe = codec_recipe(request.param, length=0.01, precision="32-true")
    fit_codec(model, squares(64), squares(16, 1), recipe, tmp_path / "run")
    path = tmp_path / f"{request.param}.safetensors"
    save_codec(
        model, request.param, squares(64), squares(16, 1), path,
        checksum="c", command="fadeline train", seed=1, wall_s=1.0,
    )  # fmt: skip
    return model, path, blank_card


def test_a_codec_comes_back_and_is_measured(trained, squares, micro):
    model, path, card = trained
    loaded = load_codec(path)
    assert loaded.name == path.stem
    assert loaded.card.config["operating_points"][0]["ratio"] == 20
    assert loaded.card.data == "squares/1"
    for mine, theirs in zip(
        model.codec.state_dict().values(), loaded.codec.state_dict().values(), strict=True
    ):
        assert torch.equal(mine, theirs)
    frozen = VideoViT(micro, seed=1).eval()
    outcomes = measure_outcomes([loaded], frozen, card, squares(12, 2), checksum="x")
    write_outcomes(outcomes, path.with_name("outcomes.parquet"))
    again = read_outcomes(path.with_name("outcomes.parquet"))
    variants = sum(point.packets for point in loaded.codec.points)
    assert len(again.rows) == 12 * (1 + 2 * variants)
    for index in (0, 7):
        clip = squares(12, 2).clip(index)
        for number, point in enumerate(loaded.codec.points):
            rows = again.rows
            here = rows[
                (rows.codec == loaded.name)
                & (rows.data_index == index)
                & (rows.operating_point == number)
                & (rows.packets == point.packets)
            ]
            stream = loaded.encode(clip, number).stream
            assert set(here.bytes) == {len(stream)}
            restored = torch.from_numpy(loaded.decode(stream))
            floats = restored.permute(3, 0, 1, 2)[None].float() / 255.0
            with torch.inference_mode():
                answers = {"frozen": frozen(floats), "own": loaded.classifier.network(floats)}
            for row in here.itertuples():
                assert row.predicted == int(answers[row.classifier].argmax())
                assert row.correct == (row.predicted == row.label)
            assert here.attention.notna().all() == loaded.codec.temporal
            if loaded.codec.temporal or point.packets > 1:
                assert here.frame_bytes.isna().all()
            else:
                assert all(sum(parts) == len(stream) for parts in here.frame_bytes)
    table = rate_accuracy(again)
    assert len(table) == 1 + 2 * len(loaded.codec.points)
    assert (table.encode_s.dropna() > 0.0).all()


@pytest.mark.slow
def test_measuring_goes_on_where_it_stopped(trained, squares, micro, tmp_path, monkeypatch):
    _, path, card = trained
    loaded, frozen, clips = load_codec(path), VideoViT(micro, seed=1).eval(), squares(12, 2)
    whole = measure_outcomes([loaded], frozen, card, clips, checksum="x")
    done = []
    measure_some = measuring._outcomes

    def noted(name, codec, frozen, clips, indices, batch):
        done.append((name, indices[0]))
        return measure_some(name, codec, frozen, clips, indices, batch)

    def stop(now, _):
        if now > 12:
            raise KeyboardInterrupt

    monkeypatch.setattr(measuring, "_outcomes", noted)
    with pytest.raises(KeyboardInterrupt):
        measure_outcomes(
            [loaded], frozen, card, clips, checksum="x", parts=tmp_path / "parts", progress=stop
        )
    assert done[:3] == [("uncompressed", 0), ("uncompressed", 10), (loaded.name, 0)]
    again = measure_outcomes([loaded], frozen, card, clips, checksum="x", parts=tmp_path / "parts")
    assert len(done) == 4
    pd.testing.assert_frame_equal(again.rows, whole.rows)
    measure_outcomes([loaded], frozen, card, clips, checksum="other", parts=tmp_path / "parts")
    assert len(done) == 8
    for part in (tmp_path / "parts").iterdir():
        part.write_text("[")
    with pytest.raises(OutcomesError, match=r"cannot be read: .*delete it"):
        measure_outcomes([loaded], frozen, card, clips, checksum="x", parts=tmp_path / "parts")


@pytest.mark.slow
def test_the_same_training_gives_the_same_weights(one_thread, squares, micro, tmp_path):
    """Stopped after its first step and resumed, or in one go."""
    states = []
    for name in ("once", "resumed"):
        model = CodecInTraining(small_codec("stae"), VideoViT(micro, seed=1).eval())
        recipe = codec_recipe("stae", length=0.01, precision="32-true")
        sets = (squares(64), squares(16, 1))
        if name == "resumed":
            fit_codec(model, *sets, recipe[:1], tmp_path / name)
            model = CodecInTraining(small_codec("stae"), VideoViT(micro, seed=1).eval())
        fit_codec(model, *sets, recipe, tmp_path / name, resume=name == "resumed")
        states.append(model.state_dict())
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name


def test_classifier_learns_only_in_its_steps(one_thread, squares, micro, tmp_path):
    start = VideoViT(micro, seed=1).eval()
    model = CodecInTraining(small_codec("deepisc"), VideoViT(micro, seed=1).eval())
    recipe = codec_recipe("deepisc", length=0.01, precision="32-true")
    fit_codec(model, squares(64), squares(16, 1), recipe[:1], tmp_path / "a")
    for mine, theirs in zip(start.parameters(), model.classifier.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    before = [parameter.clone() for parameter in model.codec.parameters()]
    model = CodecInTraining(small_codec("deepisc"), VideoViT(micro, seed=1).eval())
    fit_codec(model, squares(64), squares(16, 1), recipe, tmp_path / "a", resume=True)
    assert all(map(torch.equal, before, model.codec.parameters()))
    assert not all(map(torch.equal, start.parameters(), model.classifier.parameters()))


def test_weights_that_do_not_fit_are_refused(trained, tmp_path):
    _, path, _ = trained
    card = json.loads(path.with_suffix(".json").read_text())

    def rewritten(**changes):
        path.with_suffix(".json").write_text(json.dumps(card | changes))

    points = card["config"]["operating_points"]
    rewritten(
        config=card["config"] | {"operating_points": [points[0] | {"radius": 99}, *points[1:]]}
    )
    with pytest.raises(WeightsError, match="radius must be at most 63"):
        load_codec(path)
    rewritten(config=card["config"] | {"shape": "Unknown"})
    with pytest.raises(WeightsError, match="no valid config"):
        load_codec(path)
    rewritten(architecture="VideoViT")
    with pytest.raises(WeightsError, match="not a codec"):
        load_codec(path)
    rewritten()
    path.with_name(f"{path.stem}-classifier.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"classifier.*missing|no such weights"):
        load_codec(path)


def test_a_clip_of_another_shape_is_refused(trained):
    loaded = load_codec(trained[1])
    good = np.zeros((8, 16, 16, 3), np.uint8)
    bad: Any
    for bad in (good[:4], good[:, :8], good.astype(np.float32), np.full(good.shape, np.nan)):
        with pytest.raises(ClipError, match="takes 8-bit RGB clips of"):
            loaded.encode(bad, 0)
    with pytest.raises(ValueError, match="operating point 9"):
        loaded.encode(good, 9)


@pytest.mark.slow
def test_shipped_shapes_are_as_heavy_as_each_other():
    from fadeline.models.classifiers.vit import vit_preset
    from fadeline.models.hardware.network_cost import network_cost

    clip = torch.zeros(1, 3, 16, 64, 64)
    stae, deepisc = (
        network_cost(new_codec(name).encoder, clip).flops for name in ("stae", "deepisc")
    )
    vit = network_cost(VideoViT(vit_preset("tiny", classes=18)).eval(), clip).flops
    assert max(stae, deepisc) <= vit / 10
    assert 0.75 < deepisc / stae < 1.25
    unknown: Any = "mp4"
    with pytest.raises(ValueError, match="no codec 'mp4'"):
        new_codec(unknown)
