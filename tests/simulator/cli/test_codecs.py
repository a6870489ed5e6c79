"""The commands that train and measure codecs, on clips and networks small enough for a test."""

import csv
import json
from typing import Any

import pytest

SIDE = 16


@pytest.fixture(autouse=True)
def small(monkeypatch, flashes):
    """Make every codec a small one, for clips of flashes."""
    from fadeline.models.codecs.learned.codec import LearnedCodec
    from fadeline.models.codecs.learned.deepisc import DeepIscConfig
    from fadeline.models.codecs.learned.stae import StaeConfig
    from fadeline.models.codecs.operating_point import OperatingPoint
    from fadeline.models.hardware.latency import Effort
    from fadeline.models.measurement import measuring
    from fadeline.models.training import train_codec

    shape = {
        "frames": 8, "size_px": SIDE, "patch_features": 4, "features": 8, "channels": 3,
        "decoder_features": 8, "pixel_features": 8,
    }  # fmt: skip

    def small_codec(name, *, seed=1):
        points = [OperatingPoint(20, 8, 32, 3, 7), OperatingPoint(60, 8, 32, 3, 3)]
        config = (StaeConfig if name == "stae" else DeepIscConfig)(2, **shape)
        return LearnedCodec(config, points, seed=seed)

    hasty = Effort(warmup_s=0.0, measure_s=0.0, at_least=2)
    monkeypatch.setattr(measuring, "TIMED", hasty)  # what times are is of no matter here
    monkeypatch.setattr(train_codec, "new_codec", small_codec)
    return flashes


@pytest.fixture
def vit(tmp_path, blank_vit_card):
    """Return the path of a classifier of flashes."""
    from fadeline.models.classifiers.vit import VideoViT
    from fadeline.models.weights import save_weights

    model = VideoViT(blank_vit_card.vit_config, seed=1).eval()
    save_weights(model, tmp_path / "vit.safetensors", blank_vit_card.card)
    return tmp_path / "vit.safetensors"


@pytest.fixture
def blank_vit_card():
    """Return a card of a small ViT that claims next to nothing, and its config."""
    from dataclasses import asdict
    from types import SimpleNamespace

    from fadeline.models.classifiers.vit import VideoViTConfig
    from fadeline.models.weights import Card

    config = VideoViTConfig(
        2, frames=8, size_px=SIDE, stem_widths=(8,), stem_kernels_px=(3,), stem_times=(3,),
        stem_time_strides=(1,), tubelet=(2, 4, 4), dim=16, depth=1, heads=2,
    )  # fmt: skip
    card = Card(
        task="", architecture="VideoViT", config=asdict(config), classes=["early", "late"],
        data="flashes/val", data_version="1", data_checksum="", splits={}, correct=1, count=2,
        per_class_accuracy={}, confusion=[], parameters=0, flops=0, command="", seed=1, wall_s=1.0,
    )  # fmt: skip
    return SimpleNamespace(card=card, vit_config=config)


def train(fadeline, vit, out, *words, codec="stae"):
    return fadeline(
        "train", codec, "--data", "flashes", "--classifier", vit, "--out", out, "--length", "0.01",
        "--precision", "32-true", *words,
    )  # fmt: skip


@pytest.mark.parametrize("codec", ["stae", "deepisc", "deepisc-task"])
def test_training_leaves_weights_cards_table_and_figure(fadeline, vit, tmp_path, codec):
    out = tmp_path / "run"
    answer = train(fadeline, vit, out, codec=codec)
    assert answer.code == 0, answer.err
    assert "step" in answer.err
    for name in (
        f"{codec}.safetensors", f"{codec}.json", f"{codec}-classifier.safetensors",
        f"{codec}-classifier.json", "outcomes.parquet", "rate_accuracy.csv", "rate_accuracy.png",
    ):  # fmt: skip
        assert (out / name).is_file(), name
    card = json.loads((out / f"{codec}.json").read_text())
    assert card["command"].startswith(f"fadeline train {codec} --data flashes")
    assert card["data"] == "flashes/val"
    with (out / "rate_accuracy.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert [row["codec"] for row in rows] == ["uncompressed", *[codec] * 4]


@pytest.mark.slow
def test_python_trains_the_same_weights_as_the_command(fadeline, vit, tmp_path):
    from fadeline.models import train_codec

    assert train(fadeline, vit, tmp_path / "a", "--quiet", "--seed", "3").code == 0
    train_codec(
        "stae", tmp_path / "b", data="flashes", classifier=str(vit), length=0.01, seed=3,
        precision="32-true",
    )  # fmt: skip
    for name in ("stae.safetensors", "stae-classifier.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.slow
def test_a_trained_codec_is_measured_on_other_clips(fadeline, vit, tmp_path):
    train(fadeline, vit, tmp_path / "run", "--quiet")
    weights = tmp_path / "run" / "stae.safetensors"
    words = ("evaluate", "--codec", weights, "--classifier", vit, "--data", "flashes/test")
    answer = fadeline(*words, "--out", tmp_path / "e", "--json")
    assert answer.code == 0, answer.err
    rows = json.loads(answer.out)
    assert [row["codec"] for row in rows] == ["uncompressed", *["stae"] * 4]
    assert all(0.0 <= row["accuracy"] <= 1.0 for row in rows)
    assert rows[0]["psnr_db"] is None
    answer = fadeline(*words, "--out", tmp_path / "e")
    assert answer.code == 2
    assert "use --force" in answer.err
    answer = fadeline(*words, "--out", tmp_path / "f", "--limit", "6", "--quiet")
    assert (answer.code, answer.out) == (0, "")


@pytest.mark.slow
def test_a_stopped_measurement_is_gone_on_with(fadeline, vit, tmp_path, monkeypatch):
    from fadeline.models.measurement import measuring

    train(fadeline, vit, tmp_path / "run", "--quiet")
    weights, out = tmp_path / "run" / "stae.safetensors", tmp_path / "e"
    words = (
        "evaluate", "--codec", weights, "--classifier", vit, "--data", "flashes/test", "--out", out,
        "--workers", "1", "--quiet",
    )  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(
            measuring, "codec_facts", lambda *_, **__: 1 / 0
        )  # what is left after the parts
        with pytest.raises(ZeroDivisionError):
            fadeline(*words)
    assert any((out / "parts").iterdir())
    answer = fadeline(*words)
    assert answer.code == 2
    assert "is unfinished; use --resume to go on with it, or --force" in answer.err
    monkeypatch.setattr(measuring, "_outcomes", lambda *_: 1 / 0)  # nothing is measured again
    answer = fadeline(*words, "--resume")
    assert answer.code == 0, answer.err
    assert not (out / "parts").exists()
    answer = fadeline(*words, "--resume")
    assert answer.code == 2
    assert "is finished; use --force" in answer.err


@pytest.mark.slow
def test_a_started_training_is_gone_on_with_or_started_again(fadeline, vit, tmp_path):
    train(fadeline, vit, tmp_path / "run", "--quiet")
    first = (tmp_path / "run" / "stae.safetensors").read_bytes()
    answer = train(fadeline, vit, tmp_path / "run")
    assert answer.code == 2
    assert "--resume goes on with it, --force starts again" in answer.err
    for word in ("--resume", "--force"):
        assert train(fadeline, vit, tmp_path / "run", "--quiet", word).code == 0
        assert (tmp_path / "run" / "stae.safetensors").read_bytes() == first


@pytest.mark.slow
def test_a_trained_codec_goes_on_from_where_it_is(fadeline, vit, tmp_path):
    train(fadeline, vit, tmp_path / "run", "--quiet")
    weights = tmp_path / "run" / "stae.safetensors"
    answer = train(fadeline, vit, tmp_path / "on", "--quiet", "--init", weights)
    assert answer.code == 0, answer.err
    steps = [path.parent.name for path in (tmp_path / "on").glob("*/training.csv")]
    assert steps == ["joint"]
    assert (tmp_path / "on" / "stae.safetensors").read_bytes() != weights.read_bytes()
    answer = train(
        fadeline, vit, tmp_path / "no", "--quiet", "--init", weights, codec="deepisc-task"
    )
    assert answer.code == 2
    assert f"--init {weights}: holds STAE" in answer.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--codec", "stae"), "needs --codec NAME and --out DIR"),
        (("--codec", "h264", "--out", "x"), "h264: no such weights"),
        (
            ("--codec", "stae", "--out", "x", "--from-tables", "--limit", "3", "--classifier", "x"),
            "leave --limit, --classifier out",
        ),
        (
            ("--codec", "stae", "--out", "x", "--from-tables", "--data", "films/test"),
            "films/test: no outcome table of this version has stae",
        ),
    ],
)
def test_what_cannot_be_measured_is_said(fadeline, in_tmp, words, message):
    answer = fadeline("evaluate", *words)
    assert answer.code == 2
    assert message in answer.err


def test_clips_of_other_classes_are_refused(fadeline, vit, tmp_path, monkeypatch):
    from fadeline.models.data import opening

    train(fadeline, vit, tmp_path / "run", "--quiet")
    monkeypatch.setattr(type(opening.open_clips("flashes/val")), "classes", ("first", "last"))
    answer = fadeline(
        "evaluate", "--codec", tmp_path / "run" / "stae.safetensors", "--classifier", vit,
        "--data", "flashes/val", "--out", tmp_path / "e", "--limit", "4",
    )  # fmt: skip
    assert answer.code == 2
    assert "its classes are not those of" in answer.err
    answer = train(fadeline, vit, tmp_path / "other")
    assert answer.code == 2
    assert "its classes are not those of" in answer.err


def turned(monkeypatch):
    """Let the same clips of the same classes be listed in the other order."""
    from fadeline.models.data import opening

    kind = type(opening.open_clips("flashes/val"))
    monkeypatch.setattr(kind, "classes", ("late", "early"))
    made = kind.__init__

    def reversed_labels(self, *given):
        made(self, *given)
        self.labels = 1 - self.labels

    monkeypatch.setattr(kind, "__init__", reversed_labels)
    clip: Any = kind.clip
    monkeypatch.setattr(kind, "clip", lambda self, index: clip(_Unturned(self), index))


class _Unturned:
    """A set as it was before its labels were reversed."""

    def __init__(self, clips):
        self.__dict__ = clips.__dict__ | {"labels": 1 - clips.labels}
        self.shape = clips.shape


@pytest.mark.slow
def test_answers_are_matched_by_name(fadeline, vit, tmp_path, monkeypatch):
    train(fadeline, vit, tmp_path / "run", "--quiet")
    weights = tmp_path / "run" / "stae.safetensors"
    commands = (
        ("evaluate", "--codec", weights, "--classifier", vit, "--data", "flashes/test", "--json"),
        ("evaluate", "vit", "--weights", vit, "--data", "flashes/test", "--json"),
    )

    def accuracies(name):
        first = fadeline(*commands[0], "--out", tmp_path / name)
        second = fadeline(*commands[1])
        assert first.code == 0, first.err
        rows = [row["accuracy"] for row in json.loads(first.out)]
        return rows, json.loads(second.out)["per_class_accuracy"]

    before = accuracies("a")
    turned(monkeypatch)
    monkeypatch.setenv("FADELINE_CACHE", str(tmp_path / "other"))
    assert accuracies("b") == before
    assert before[0][0] != 0.5 or before[1]["early"] != 0.5  # or turning would not show


@pytest.mark.slow
def test_codecs_learn_labels_by_name(fadeline, vit, tmp_path, monkeypatch):
    train(fadeline, vit, tmp_path / "a", "--quiet")
    turned(monkeypatch)
    monkeypatch.setenv("FADELINE_CACHE", str(tmp_path / "other"))
    assert train(fadeline, vit, tmp_path / "b", "--quiet").code == 0
    first, second = (json.loads((tmp_path / name / "stae.json").read_text()) for name in ("a", "b"))
    assert first["classes"] == second["classes"] == ["early", "late"]
    assert first["sha256"] == second["sha256"]
