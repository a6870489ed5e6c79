"""A codec of another package, without weights: from its entry point to a table and to a run."""

import sys
import zlib
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from fadeline.models.codecs.catalogue import CodecEntry
from fadeline.models.codecs.loading import load_codec
from fadeline.models.codecs.protocol import NO_WEIGHTS_SHA256, Encoded
from fadeline.models.codecs.stream import decode, encode
from fadeline.models.data import opening
from fadeline.models.errors import OutcomesError
from fadeline.models.hardware.latency import Effort
from fadeline.models.measurement import measuring
from fadeline.models.measurement.outcomes import read_outcomes
from fadeline.models.measurement.rate_accuracy import rate_accuracy
from fadeline.simulator.experiment.replicate import run_plan
from fadeline.simulator.loading.load import load_plan
from fadeline.simulator.schemes.outcome_tables import measure_table, outcome_table
from fadeline.simulator.schemes.wanted import WantedCodec, WantedTable

FRAMES, SIDE = 8, 16


@dataclass(frozen=True)
class Every:
    """An operating point: every how many pixels one is sent."""

    pixels: int
    packets: int = 1


class Subsampled:
    """Every n-th pixel, deflated, frame by frame."""

    name = "subsampled"
    points = (Every(1), Every(4))
    classifier = None
    sha256 = NO_WEIGHTS_SHA256

    def encode(self, clip, point):
        step = self.points[point].pixels
        parts = [zlib.compress(frame[::step, ::step].tobytes(), 9) for frame in clip]
        parts = [len(part).to_bytes(2) + part for part in parts]
        parts[0] = bytes([step]) + parts[0]
        return Encoded(b"".join(parts), frame_bytes=tuple(map(len, parts)))

    def decode(self, stream):
        step, at, frames = stream[0], 1, []
        while at < len(stream):
            end = at + 2 + int.from_bytes(stream[at : at + 2])
            pixels = np.frombuffer(zlib.decompress(stream[at + 2 : end]), np.uint8)
            frame = pixels.reshape(SIDE // step, SIDE // step, 3)
            frames.append(frame.repeat(step, axis=0).repeat(step, axis=1))
            at = end
        return np.stack(frames)

    def networks(self):
        return None


@pytest.fixture(autouse=True)
def installed(monkeypatch, flashes):
    """Install a package with the codec; show flashes for actions, and time for an instant."""
    flash = opening.open_clips
    monkeypatch.setattr(opening, "open_clips", lambda _, **how: flash("flashes/test", **how))
    entry = CodecEntry(
        "subsampled", "every n-th pixel", per_frame=True, shape="", load="their_codec:load"
    )
    module: ModuleType = ModuleType("their_codec")
    vars(module).update(ENTRY=entry, load=lambda name: Subsampled())
    monkeypatch.setitem(sys.modules, "their_codec", module)
    points = [EntryPoint("subsampled", "their_codec:ENTRY", "fadeline.codecs")]
    monkeypatch.setattr(
        "fadeline.models.plugins.entry_points",
        lambda group: [point for point in points if point.group == group],
    )
    effort = Effort(warmup_s=0.0, measure_s=0.0, at_least=2)
    monkeypatch.setattr(measuring, "TIMED", effort)


@pytest.fixture
def wanted(tmp_path):
    """Return a table of the codec, with a small classifier of flashes."""
    from dataclasses import asdict

    from fadeline.models.classifiers.vit import VideoViT, VideoViTConfig
    from fadeline.models.weights import Card, save_weights

    config = VideoViTConfig(
        2, frames=FRAMES, size_px=SIDE, stem_widths=(8,), stem_kernels_px=(3,), stem_times=(3,),
        stem_time_strides=(1,), tubelet=(2, 4, 4), dim=16, depth=1, heads=2,
    )  # fmt: skip
    card = Card(
        task="", architecture="VideoViT", config=asdict(config), classes=["early", "late"],
        data="flashes/val", data_version="1", data_checksum="", splits={}, correct=1, count=2,
        per_class_accuracy={}, confusion=[], parameters=0, flops=0, command="", seed=1, wall_s=1.0,
    )  # fmt: skip
    path = tmp_path / "vit.safetensors"
    save_weights(VideoViT(config, seed=1).eval(), path, card)
    codecs = (WantedCodec("subsampled"),)
    return WantedTable("actions/test@9", codecs, classifier=str(path))


def test_it_is_encoded_and_restored_by_its_name():
    clip = opening.open_clips("flashes/test").clip(0)
    assert (decode(encode(clip, "subsampled", point=0), "subsampled") == clip).all()
    with pytest.raises(ValueError, match="no operating point of one packet has a ratio"):
        encode(clip, "subsampled", ratio=4)


def test_its_table_holds_what_it_does_and_what_the_frozen_classifier_says(wanted):
    outcomes = read_outcomes(measure_table(wanted))
    rows = outcomes.rows[outcomes.rows.codec == "subsampled"]
    frozen, own = (
        rows[rows.classifier == kind].drop(columns="classifier").reset_index(drop=True)
        for kind in ("frozen", "own")
    )
    pd.testing.assert_frame_equal(frozen, own)
    assert len(frozen) == 2 * 40
    exact = frozen[frozen.operating_point == 0].set_index("data_index")
    plain = outcomes.rows[outcomes.rows.codec == "uncompressed"].set_index("data_index")
    assert (exact.predicted == plain.predicted).all()
    assert (exact.psnr_db == 100.0).all()
    assert exact.attention.isna().all()
    assert (exact.frame_bytes.map(sum) == exact.bytes).all()
    facts = outcomes.codecs["subsampled"]
    assert facts.operating_points[1] == {"pixels": 4, "packets": 1}
    assert facts.weights == {"codec": NO_WEIGHTS_SHA256, "classifier": outcomes.classifier}
    assert (facts.encoder.flops, facts.encoder_s) == (0, 0.0)
    assert facts.encode_serial_s == facts.encode_s
    table = rate_accuracy(outcomes)
    assert table.codec.tolist() == ["uncompressed", *["subsampled"] * 4]
    assert table.aimed_ratio.isna().all()


def test_its_table_is_found_again_and_not_if_the_classifier_changed(wanted):
    path = measure_table(wanted)
    assert outcome_table(wanted, otherwise="").codecs.keys() == {"subsampled"}
    other = replace(wanted, codecs=())
    assert outcome_table(other, otherwise="").codecs == {}
    path.write_bytes(b"")
    with pytest.raises(Exception, match="no outcome table of this version has subsampled"):
        outcome_table(wanted, otherwise="")


def test_it_runs_from_its_table_and_live_alike(fadeline, wanted, tmp_path):
    """Its device takes no time for a network, which it does not have; frames go as they come."""
    outcomes = read_outcomes(measure_table(wanted))
    rows = outcomes.rows[outcomes.rows.codec == "subsampled"]
    sent_bytes = float(rows[rows.operating_point == 1].bytes.mean())
    ratio = round(outcomes.raw_bytes / sent_bytes, 3)
    schemes = [
        {"codec": "subsampled", "ratio": ratio, "name": "theirs"},
        {"codec": "subsampled", "ratio": ratio, "streaming": True, "name": "streamed"},
        {"codec": "raw"},
    ]
    changes = (
        f"schemes={schemes}", f"clips.data={wanted.data}", f"clips.classifier={wanted.classifier}",
        "baseline=raw", "devices.count=1", "replications=1", "duration_s=3", "warmup_s=1",
    )  # fmt: skip
    plan = load_plan("rayleigh", set_values=changes)
    from_table, live = (run_plan(plan, live=live) for live in (False, True))
    pd.testing.assert_frame_equal(
        live.drop(columns="confidence"), from_table.drop(columns="confidence")
    )
    assert set(from_table.scheme) == {"theirs", "streamed", "raw"}
    words = [word for change in changes for word in ("--set", change)]
    answer = fadeline("run", "rayleigh", *words, "--out", tmp_path / "run", "--workers", 1)
    assert answer.code == 0, answer.err
    assert "theirs" in answer.out


def test_a_classifier_of_its_own_must_know_the_same_classes(wanted, monkeypatch):
    from fadeline.models.classifiers.stored_vit import load_vit
    from fadeline.models.codecs.protocol import OwnClassifier

    network, _ = load_vit(wanted.classifier)
    own = OwnClassifier(network, ("late", "early"), "00")
    monkeypatch.setattr(Subsampled, "classifier", own)
    assert load_codec("subsampled").classifier is own
    with pytest.raises(OutcomesError, match="subsampled: its classifier numbers its classes in an"):
        measure_table(wanted)
