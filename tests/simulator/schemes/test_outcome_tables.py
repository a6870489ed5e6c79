"""Outcome tables of one's own videos and weights: what they say, when they are found, when not."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from fadeline.models.errors import ClipError, ModelsError
from fadeline.models.measurement.outcomes import read_outcomes
from fadeline.simulator.errors import ScenarioError
from fadeline.simulator.experiment.replicate import run_plan
from fadeline.simulator.loading.load import load_plan, load_scenario
from fadeline.simulator.schemes.outcome_tables import (
    UnmeasuredError,
    measure_table,
    outcome_table,
    table_path,
)
from fadeline.simulator.schemes.wanted import WantedCodec, WantedTable, wanted_tables

SHAPE = {
    "frames": 8, "size_px": 16, "patch_features": 4, "features": 8, "channels": 3,
    "decoder_features": 8, "pixel_features": 8,
}  # fmt: skip
YAML = """
extends: rayleigh
name: mine
duration_s: 3
warmup_s: 1
replications: 1
report_at_s: 0.3
baseline: null
devices: {count: 1}
clips: {data: "videofolder:films#test", classifier: nets/vit.safetensors}
schemes:
  - {codec: stae, ratio: 100, weights: nets/stae.safetensors}
  - {codec: local}
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Measure without timing, with one thread and a cache of its own."""
    import torch

    from fadeline.models.hardware import machine
    from fadeline.models.measurement import measuring
    from fadeline.simulator.schemes import learned

    for name in ("time_coder", "time_coding"):
        monkeypatch.setattr(measuring, name, lambda *_: ([0.01, 0.01], [0.01, 0.01]))
    monkeypatch.setattr(learned, "FARTHEST", 9.0)  # untrained codecs hit no ratio
    monkeypatch.setattr(machine, "usable_cores", lambda: 1)
    monkeypatch.setenv("FADELINE_CACHE", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def film(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    world = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height = stream.width = 16
        stream.pix_fmt = "yuv420p"
        for t in range(12):
            picture = np.ascontiguousarray(world[t : t + 16, :16])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def save_vit(path, classes, seed=1):
    from fadeline.models.classifiers.vit import VideoViT, VideoViTConfig
    from fadeline.models.weights import Card, save_weights

    config = VideoViTConfig(
        len(classes), frames=8, size_px=16, stem_widths=(8,), stem_kernels_px=(3,), stem_times=(3,),
        stem_time_strides=(1,), tubelet=(2, 4, 4), dim=16, depth=1, heads=2,
    )  # fmt: skip
    model = VideoViT(config, seed=seed).eval()
    card = Card(
        task="", architecture="VideoViT", config=asdict(config), classes=list(classes),
        data="d", data_version="1", data_checksum="", splits={}, correct=1, count=2,
        per_class_accuracy={}, confusion=[], parameters=0, flops=0, command="", seed=1, wall_s=1.0,
    )  # fmt: skip
    return model, save_weights(model, path, card)


def save_codec(path, classes, seed=1, kind="stae"):
    """Write an untrained codec and its classifier."""
    from fadeline.models.codecs.learned.codec import LearnedCodec
    from fadeline.models.codecs.learned.deepisc import DeepIscConfig
    from fadeline.models.codecs.learned.stae import StaeConfig
    from fadeline.models.codecs.operating_point import OperatingPoint
    from fadeline.models.codecs.stored_codec import StoredCodec
    from fadeline.models.weights import save_weights

    points = [OperatingPoint(20, 8, 32, 3, 7), OperatingPoint(60, 8, 32, 3, 3)]
    config = (StaeConfig if kind == "stae" else DeepIscConfig)(2, **SHAPE)
    stored = StoredCodec(LearnedCodec(config, points, seed=seed)).eval()
    _, card = save_vit(path.with_name(f"{path.stem}-classifier.safetensors"), classes, seed)
    save_weights(stored, path, replace(card, architecture="StoredCodec", config=stored.config()))


@pytest.fixture
def project(tmp_path):
    """Return a folder with a scenario, videos of two classes, splits and networks."""
    folder = tmp_path / "project"
    for number, name in enumerate(("jump/a", "jump/b", "run/c", "run/d", "run/e")):
        film(folder / "films" / f"{name}.mp4", number)
    lines = ("jump/a train", "jump/b test", "run/c train", "run/d test", "run/e test")
    (folder / "films/splits.txt").write_text("\n".join(lines))
    (folder / "nets").mkdir()
    save_vit(folder / "nets/vit.safetensors", ("jump", "run"))
    save_codec(folder / "nets/stae.safetensors", ("jump", "run"))
    (folder / "mine.yaml").write_text(YAML)
    return folder


def wanted_by(path, *changes):
    (found,) = wanted_tables(load_plan(path, set_values=changes))
    return found


def test_a_run_of_ones_own_agrees_with_evaluate(fadeline, project, tmp_path):
    """From another folder: every path is relative to the scenario."""
    answer = fadeline("run", project / "mine.yaml", "--out", tmp_path / "run", "--workers", 1)
    assert answer.code == 0, answer.err
    nets = project / "nets"
    answer = fadeline(
        "evaluate", "--codec", nets / "stae.safetensors", "--classifier", nets / "vit.safetensors",
        "--data", f"videofolder:{project}/films#test", "--out", tmp_path / "e", "--workers", 1,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    evaluated = read_outcomes(tmp_path / "e/outcomes.parquet")
    wanted = wanted_by(project / "mine.yaml")
    measured = outcome_table(wanted, otherwise="")
    (name,) = measured.codecs
    assert name.startswith("stae:")
    pd.testing.assert_frame_equal(
        measured.rows.replace({"codec": {name: "stae"}}), evaluated.rows.reset_index(drop=True)
    )
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    inputs = {Path(path).name for path in manifest["inputs_sha256"]}
    assert inputs == {
        "vit.safetensors", "stae.safetensors", "stae-classifier.safetensors",
        table_path(wanted).name,
    }  # fmt: skip
    assert manifest["skipped_videos"] == []


def test_live_networks_of_ones_own_say_what_the_table_says(project, tmp_path):
    plan = load_plan(project / "mine.yaml")
    (wanted,) = wanted_tables(plan)
    measure_table(wanted)
    from_table, live = (
        run_plan(plan, live=live).drop(columns="confidence") for live in (False, True)
    )
    pd.testing.assert_frame_equal(live, from_table)


@pytest.mark.slow
def test_videos_of_the_same_size_are_measured_anew_and_that_is_said(fadeline, project, tmp_path):
    words = ("run", project / "mine.yaml", "--workers", 1)
    assert fadeline(*words, "--out", tmp_path / "a").code == 0
    assert "anew" not in fadeline(*words, "--out", tmp_path / "b").err
    assert "measure" not in fadeline("check", project / "mine.yaml").err
    video = project / "films/run/d.mp4"
    content = bytearray(video.read_bytes())
    film(video, 77)
    changed = video.read_bytes()
    video.write_bytes((changed + bytes(len(content)))[: len(content)])
    said = "films#test: the outcome table was measured on version"
    answer = fadeline("check", project / "mine.yaml")
    assert answer.code == 0
    assert said in answer.err
    assert "fadeline run measures it first" in answer.err
    film(video, 77)
    answer = fadeline(*words, "--out", tmp_path / "c")
    assert answer.code == 0, answer.err
    assert said in answer.err
    assert "measuring it anew" in answer.err
    assert "anew" not in fadeline(*words, "--out", tmp_path / "d").err


@pytest.mark.slow
def test_other_weights_in_the_same_file_are_measured_anew(fadeline, project, tmp_path):
    words = ("run", project / "mine.yaml", "--workers", 1)
    assert fadeline(*words, "--out", tmp_path / "a").code == 0
    save_codec(project / "nets/stae.safetensors", ("jump", "run"), seed=2)
    answer = fadeline(*words, "--out", tmp_path / "b")
    assert answer.code == 0, answer.err
    assert f"with other weights, then in {project}/nets/stae.safetensors; measuring" in answer.err
    save_vit(project / "nets/vit.safetensors", ("jump", "run"), seed=2)
    answer = fadeline(*words, "--out", tmp_path / "c")
    assert "was measured with other weights of frozen; measuring it anew" in answer.err


def test_two_weights_of_a_codec_stand_side_by_side(fadeline, project, tmp_path):
    save_codec(project / "nets/other.safetensors", ("jump", "run"), seed=2)
    text = YAML + "  - {codec: stae, name: other, ratio: 100, weights: nets/other.safetensors}\n"
    (project / "mine.yaml").write_text(text)
    answer = fadeline("run", project / "mine.yaml", "--out", tmp_path / "run", "--workers", 1)
    assert answer.code == 0, answer.err
    clips = pd.read_parquet(tmp_path / "run/clips.parquet")
    answers = clips.groupby("scheme")["confidence"].apply(tuple)
    assert answers["stae@100"] != answers["other"]
    assert len(outcome_table(wanted_by(project / "mine.yaml"), otherwise="").codecs) == 2


def test_classes_are_matched_by_name(project):
    wanted = replace(wanted_by(project / "mine.yaml"), codecs=())
    plain = read_outcomes(measure_table(wanted))
    names = [plain.classes[label] for label in plain.rows.label]
    assert names == ["jump", "run", "run"]
    save_vit(project / "nets/turned.safetensors", ("swim", "run", "jump"))
    turned = replace(wanted, classifier=str(project / "nets/turned.safetensors"))
    other = read_outcomes(measure_table(turned))
    assert [other.classes[label] for label in other.rows.label] == names
    save_vit(project / "nets/few.safetensors", ("fly", "run"))
    few = replace(wanted, classifier=str(project / "nets/few.safetensors"))
    with pytest.raises(ClipError, match=r"does not know jump \(it knows fly, run\)"):
        measure_table(few)
    from fadeline.simulator.schemes.live import live_networks

    with pytest.raises(ClipError, match=r"does not know jump \(it knows fly, run\)"):
        live_networks(few)


def test_damaged_videos_are_left_out_if_the_scenario_says_so(fadeline, project, tmp_path):
    (project / "films/run/d.mp4").write_bytes(b"no video")
    words = ("run", project / "mine.yaml", "--workers", 1, "--out", tmp_path / "run")
    answer = fadeline(*words)
    assert answer.code == 2
    assert "1 of 3 videos cannot be read" in answer.err
    assert "clips.skip_unreadable: true" in answer.err
    answer = fadeline(*words, "--set", "clips.skip_unreadable=true")
    assert answer.code == 0, answer.err
    assert f"skipped: {project}/films/run/d.mp4: cannot be read as a video" in answer.err
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    assert len(manifest["skipped_videos"]) == 1


def test_splits_draws_and_sampling_are_told_apart(project):
    plain = wanted_by(project / "mine.yaml")
    (project / "other.txt").write_text("jump/a test\nrun/c test\n")
    (project / "sets").mkdir()
    changes = ("clips.sampling=dense", f"clips.splits={project}/other.txt", "clips.draw=2")
    found = {table_path(wanted_by(project / "mine.yaml", change)) for change in changes}
    assert len(found | {table_path(plain)}) == 4
    measured = measure_table(wanted_by(project / "mine.yaml", changes[1]))
    assert len(read_outcomes(measured).rows.data_index.unique()) == 2


@pytest.mark.parametrize("data", ["set+more", "/".join(["d" * 60] * 4) + "/" + "e" * 50, "ä ö#1"])
def test_names_of_tables_are_short_and_safe(tmp_path, monkeypatch, data):
    monkeypatch.setenv("FADELINE_CACHE", str(tmp_path))
    name = table_path(WantedTable(f"videofolder:{data}", (WantedCodec("stae"),))).name
    assert len(name) < 90
    assert name.isascii()
    assert not set(name) & set("+/# ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("clips.data='videofolder:gone#test'", "clips.data: no such folder: "),
        ("clips.data='videofolder:#test'", "names no folder"),
        ("clips.splits=gone.txt", "clips.splits: no such file or folder: "),
        ("clips.classifier=gone.safetensors", "clips.classifier: no such weights file: "),
        ("clips.classifier=vit-huge", "clips.classifier: vit-huge: no such weights; shipped are"),
        ("clips.classifier=stae-actions", "clips.classifier: holds a StoredCodec, not a VideoViT"),
        ("schemes.0.weights=gone.safetensors", "weights: no such weights file: "),
        ("schemes.0.weights=mine.yaml", "weights: must be a file that ends in .safetensors"),
        ("schemes.0.codec=deepisc", "weights: holds stae, not deepisc: "),
        ("clips={data: actions/test, draw: 2}", "clips.draw: is for videos; actions/test has no"),
        ("clips={data: actions/val, skip_unreadable: true}", "clips.skip_unreadable: is for vid"),
    ],
)
def test_files_that_are_not_there_are_named_at_check(fadeline, project, change, message):
    if change.startswith("clips={"):
        change = change[:-1] + ", arrivals: {kind: periodic, rate_hz: 1}}"
    answer = fadeline("check", project / "mine.yaml", "--set", change)
    assert answer.code == 2
    assert message in answer.err


def test_a_missing_folder_has_its_line(project):
    (project / "mine.yaml").write_text(YAML.replace("films", "flims"))
    with pytest.raises(ScenarioError) as refusal:
        load_scenario(project / "mine.yaml")
    line = next(n for n, text in enumerate(YAML.splitlines(), 1) if "films" in text)
    folder = project / "flims"
    assert str(refusal.value) == (
        f"{project}/mine.yaml:{line}: clips.data: no such folder: {folder}"
    )


def test_a_codec_without_its_classifier_is_refused(project):
    (project / "nets/stae-classifier.safetensors").unlink()
    with pytest.raises(ScenarioError, match=r"its classifier is missing: .* must lie beside it"):
        load_scenario(project / "mine.yaml")


def test_swept_clips_are_relative_too_and_have_tables_of_their_own(project, tmp_path):
    text = YAML + 'sweep: {clips.data: ["videofolder:films#test", "videofolder:films#train"]}\n'
    (project / "mine.yaml").write_text(text)
    plan = load_plan(project / "mine.yaml")
    both = wanted_tables(plan)
    assert [wanted.data for wanted in both] == [
        f"videofolder:{project}/films#test", f"videofolder:{project}/films#train"
    ]  # fmt: skip
    for wanted in both:
        measure_table(wanted)
    clips = run_plan(plan)
    assert clips["clips.data"].nunique() == 2


def test_replaced_weights_without_their_card_are_refused(project):
    nets = project / "nets"
    measure_table(wanted_by(project / "mine.yaml"))
    card = (nets / "vit.json").read_text()
    save_vit(nets / "vit.safetensors", ("jump", "run"), seed=5)
    (nets / "vit.json").write_text(card)
    with pytest.raises(ModelsError, match="is damaged or was replaced"):
        outcome_table(wanted_by(project / "mine.yaml"), otherwise="")


def test_the_home_folder(project, monkeypatch):
    monkeypatch.setenv("HOME", str(project))
    change = "clips.data='videofolder:~/films#test'"
    assert load_scenario(project / "mine.yaml", set_values=[change]).clips.data == (
        f"videofolder:{project}/films#test"
    )


def test_check_opens_the_folder_and_says_what_is_left_out(fadeline, project):
    (project / "films/run/still.png").touch()
    answer = fadeline("check", project / "mine.yaml")
    assert answer.code == 0
    assert "films that are read: 1 .png" in answer.err.replace("videos", "films")
    assert "#test: not measured yet; fadeline run measures it first" in answer.err
    (project / "films/splits.txt").write_text("jump/gone test\n")
    answer = fadeline("check", project / "mine.yaml")
    assert answer.code == 2
    assert "splits.txt:1: the clip jump/gone is not in" in answer.err


def test_a_table_of_other_videos_is_not_read(project):
    """As `evaluate --from-tables` meets it."""
    wanted = replace(wanted_by(project / "mine.yaml"), codecs=())
    measure_table(wanted)
    film(project / "films/run/d.mp4", 5)
    with pytest.raises(UnmeasuredError, match=r"was measured on version \w+ of .*; run it"):
        outcome_table(wanted, otherwise="run it")
