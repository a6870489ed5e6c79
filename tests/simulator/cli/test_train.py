"""The commands that train and evaluate, on clips and a network small enough for a test."""

import json
from pathlib import Path

import pytest

from fadeline.models.data import opening

SIDE = 16


@pytest.fixture(autouse=True)
def small(monkeypatch, flashes):
    """Open flashes, whatever is asked for, and make every preset a micro ViT.

    Returns the names, splits and draws that are opened.
    """
    from fadeline.models.classifiers import vit
    from fadeline.models.training import train_vit

    def micro(name, *, classes):
        return vit.VideoViTConfig(
            classes=classes,
            frames=8,
            size_px=SIDE,
            stem_widths=(8,),
            stem_kernels_px=(3,),
            stem_times=(3,),
            stem_time_strides=(1,),
            tubelet=(2, 4, 4),
            dim=16,
            depth=1,
            heads=2,
        )

    monkeypatch.setattr(train_vit, "vit_preset", micro)
    return flashes


TRAIN = ("train", "vit", "--data", "flashes", "--out", "made", "--precision", "32-true")
SHORT = ("--epochs", "1", "--stem-epochs", "0")


def test_training_leaves_weights_a_card_and_a_figure(fadeline, in_tmp):
    answer = fadeline(*TRAIN, *SHORT, "--seed", "4", "--json")
    assert (answer.code, answer.err) == (0, "")
    summary = json.loads(answer.out)
    card = json.loads(Path("made/vit.json").read_text())
    assert summary["accuracy"] == round(card["accuracy"], 4)
    assert card["data"] == "flashes/val"
    assert card["splits"] == {"flashes/train": 64, "flashes/val": 40}
    assert (card["seed"], card["count"]) == (4, 40)
    assert card["command"].startswith("fadeline train vit --data flashes --precision")
    assert set(card["controls"]) >= {"half resolution", "middle frame", "shuffled frames"}
    assert {"torch", "numpy", "lightning"} <= set(card["versions"])
    assert Path("made", card["confusion_figure"]).read_bytes().startswith(b"\x89PNG")


def test_python_trains_the_same_weights_as_the_command(fadeline, in_tmp):
    from fadeline.models import train_vit

    assert fadeline(*TRAIN, *SHORT, "--seed", "4", "--quiet").code == 0
    train_vit("too", data="flashes", epochs=1, stem_epochs=0, seed=4, precision="32-true")
    assert Path("made/vit.safetensors").read_bytes() == Path("too/vit.safetensors").read_bytes()


def test_training_can_be_quiet(fadeline, in_tmp):
    answer = fadeline(*TRAIN, *SHORT, "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_a_finished_training_is_resumed_to_the_same_weights(fadeline, in_tmp):
    assert fadeline(*TRAIN, *SHORT, "--quiet").code == 0
    before = Path("made/vit.safetensors").read_bytes()
    assert fadeline(*TRAIN, *SHORT, "--quiet", "--resume").code == 0
    assert Path("made/vit.safetensors").read_bytes() == before
    refused = fadeline(*TRAIN, *SHORT, "--quiet", "--resume", "--seed", "9")
    assert (refused.code, refused.out) == (2, "")
    assert "training.seed is 1, now 9" in refused.err


def test_a_folder_in_use_is_left_alone_without_force(fadeline, in_tmp):
    Path("made").mkdir()
    Path("made/notes.txt").write_text("mine")
    answer = fadeline(*TRAIN, *SHORT)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "error: made: already holds files; use --force to write over them\n"


def test_a_started_training_is_gone_on_with_or_started_again(fadeline, in_tmp):
    assert fadeline(*TRAIN, *SHORT, "--quiet").code == 0
    refused = fadeline(*TRAIN, *SHORT)
    assert refused.code == 2
    assert "holds a training; --resume goes on with it, --force starts again" in refused.err


def test_training_from_weights_and_from_none(fadeline, in_tmp):
    assert fadeline(*TRAIN, *SHORT, "--quiet").code == 0
    again = ("--out", "again", "--init", "made/vit.safetensors", "--quiet")
    assert fadeline(*TRAIN, *SHORT, *again).code == 0
    answer = fadeline(*TRAIN, *SHORT, "--out", "third", "--init", "none.safetensors")
    assert answer.code == 2
    assert answer.err.startswith("error: none.safetensors: cannot be read as weights")


def test_unknown_data_are_refused(fadeline, in_tmp):
    answer = fadeline("train", "vit", "--data", "blinks", "--out", "made")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "error: blinks/train: no such data set\n"


def test_splits_and_a_draw_of_videos_are_trained_on(fadeline, in_tmp, small):
    videos = (*TRAIN, *SHORT, "--quiet", "--data", "videofolder:films", "--splits", "lists")
    assert fadeline(*videos, "--draw", 2).code == 0
    lists = Path("lists")
    assert small == [("videofolder:films#train", lists, 2), ("videofolder:films#val", lists, 2)]
    card = json.loads(Path("made/vit.json").read_text())
    assert (card["data"], card["data_version"]) == ("videofolder:films#val", "2")
    refused = fadeline(*videos, "--draw", 1, "--resume")
    assert (refused.code, refused.out) == (2, "")
    assert "data.version is 2, now 1" in refused.err


def test_training_on_shuffled_frames_is_a_training_of_its_own(fadeline, in_tmp):
    assert fadeline(*TRAIN, *SHORT, "--quiet").code == 0
    in_order = Path("made/vit.safetensors").read_bytes()
    refused = fadeline(*TRAIN, *SHORT, "--shuffled", "--resume")
    assert refused.code == 2
    assert "data.name is flashes/train, now flashes/train (shuffled frames)" in refused.err
    assert fadeline(*TRAIN, *SHORT, "--quiet", "--shuffled", "--out", "shuffled").code == 0
    assert Path("shuffled/vit.safetensors").read_bytes() != in_order
    card = json.loads(Path("shuffled/vit.json").read_text())
    assert card["data"] == "flashes/val (shuffled frames)"
    sets = {"flashes/train (shuffled frames)": 64, "flashes/val (shuffled frames)": 40}
    assert card["splits"] == sets


# evaluate


@pytest.fixture
def trained(fadeline, in_tmp):
    assert fadeline(*TRAIN, *SHORT, "--quiet").code == 0
    return Path("made/vit.safetensors")


def edit_card(weights, **changes):
    path = weights.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_true_card_agrees(fadeline, trained):
    answer = fadeline("evaluate", "vit", "--weights", trained, "--controls", "--json")
    assert (answer.code, answer.err) == (0, "")
    found = json.loads(answer.out)
    card = json.loads(trained.with_suffix(".json").read_text())
    assert found["agrees"] is True
    assert (found["accuracy"], found["controls"]) == (card["accuracy"], card["controls"])
    text = fadeline("evaluate", "vit", "--weights", trained)
    assert text.code == 0
    assert text.out.split()[-1] == "yes"


def test_a_false_card_is_found_out(fadeline, trained):
    card = json.loads(trained.with_suffix(".json").read_text())
    edit_card(trained, correct=0 if card["accuracy"] > 0.5 else 40)
    answer = fadeline("evaluate", "vit", "--weights", trained)
    assert answer.code == 1
    assert answer.err.startswith(f"failed: accuracy: {card['accuracy']:.4f}, card: ")
    fresh = fadeline("evaluate", "vit", "--weights", trained, "--data", "flashes/val@7")
    assert fresh.code == 1


def test_other_clips_are_measured_without_a_verdict(fadeline, trained):
    edit_card(trained, correct=0)
    answer = fadeline("evaluate", "vit", "--weights", trained, "--data", "flashes/test", "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["agrees"] is None


def test_some_clips_are_enough_for_a_look(fadeline, trained):
    answer = fadeline("evaluate", "vit", "--weights", trained, "--limit", "10", "--json")
    assert json.loads(answer.out)["count"] == 10


def test_clips_of_other_classes_are_refused(fadeline, trained, monkeypatch):
    kind = type(opening.open_clips("flashes/val"))
    monkeypatch.setattr(kind, "classes", ("first", "last"))
    answer = fadeline("evaluate", "vit", "--weights", trained)
    assert answer.code == 2
    assert "error: flashes/val: its classes are not those of" in answer.err


def test_damaged_weights_are_refused(fadeline, trained):
    trained.write_bytes(trained.read_bytes()[:-1])
    answer = fadeline("evaluate", "vit", "--weights", trained)
    assert (answer.code, answer.out) == (2, "")
    assert "is damaged or was replaced" in answer.err


def test_unknown_weights_are_refused(fadeline):
    answer = fadeline("evaluate", "vit", "--weights", "vit-huge")
    assert answer.code == 2
    assert answer.err.startswith("error: vit-huge: no such weights; shipped are ")


def test_another_draw_of_videos_is_measured_without_a_verdict(fadeline, in_tmp, small):
    videos = (*TRAIN, *SHORT, "--quiet", "--data", "videofolder:films", "--draw", 2)
    assert fadeline(*videos).code == 0
    weights = Path("made/vit.safetensors")
    small.clear()
    same = fadeline("evaluate", "vit", "--weights", weights, "--draw", 2, "--json")
    assert (same.code, json.loads(same.out)["agrees"]) == (0, True)
    edit_card(weights, correct=0)
    other = fadeline("evaluate", "vit", "--weights", weights, "--splits", "lists", "--json")
    assert (other.code, json.loads(other.out)["agrees"]) == (0, None)
    assert small == [
        ("videofolder:films#val", None, 2),
        ("videofolder:films#val", Path("lists"), 1),
    ]
    assert fadeline("evaluate", "vit", "--weights", weights, "--draw", 2).code == 1


def test_what_is_measured_goes_into_the_card(fadeline, trained):
    before = json.loads(trained.with_suffix(".json").read_text())
    write = ("evaluate", "vit", "--weights", trained, "--data", "flashes/test", "--write-card")
    answer = fadeline(*write, "--controls", "--json")
    assert answer.code == 0
    found = json.loads(answer.out)
    card = json.loads(trained.with_suffix(".json").read_text())
    assert (card["data"], card["accuracy"]) == ("flashes/test", found["accuracy"])
    assert card["controls"] == found["controls"]
    assert card["splits"] == before["splits"] | {"flashes/test": 40}
    assert card["data_checksum"] != before["data_checksum"]
    for kept in ("command", "seed", "wall_s", "versions", "sha256", "config", "parameters"):
        assert card[kept] == before[kept]
    assert Path("made", card["confusion_figure"]).read_bytes().startswith(b"\x89PNG")
    assert fadeline("evaluate", "vit", "--weights", trained, "--controls").code == 0


@pytest.mark.parametrize("words", [["--limit", 10], ["--weights", "vit-tiny-actions"]])
def test_a_card_is_written_for_all_clips_and_own_weights_only(fadeline, trained, words):
    before = trained.with_suffix(".json").read_bytes()
    answer = fadeline("evaluate", "vit", "--weights", trained, "--write-card", *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: --write-card needs all clips and a .safetensors file")
    assert trained.with_suffix(".json").read_bytes() == before
