"""The training loop: it learns, it repeats itself, and a killed run goes on as if nothing was."""

import csv
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from fadeline.models.classifiers.vit import VideoViT
from fadeline.models.data.augmentation import Augmentation
from fadeline.models.errors import ClipError, ModelsError, WeightsError
from fadeline.models.training import loop as training
from fadeline.models.training.codec import codec_recipe
from fadeline.models.training.config import TrainingConfig
from fadeline.models.training.loop import train
from fadeline.models.training.objectives import classification
from fadeline.models.training.vit import VitRecipe, fit_vit, start_from, vit_recipe
from fadeline.models.weights import save_weights

pytestmark = pytest.mark.usefixtures("one_thread")

CONFIG = TrainingConfig(
    epochs=3,
    batch_size=8,
    augmentation=Augmentation(flip=0.0, shift_px=1),
    precision="32-true",
    accelerator="cpu",
)


class Line(nn.Module):
    """The smallest classifier there is: linear in the mean colour of each frame."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 4)
        nn.init.zeros_(self.linear.weight)

    def forward(self, clips):
        return self.linear(clips.mean(dim=(1, 3, 4)))


@pytest.mark.parametrize(
    ("able", "precision"),
    [({"avx512_bf16": True}, "bf16-mixed"), ({"avx512_bf16": False, "avx2": True}, "32-true")],
)
def test_the_precision_is_what_the_machine_is_quickest_in(monkeypatch, able, precision):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert TrainingConfig(epochs=1).precision == precision
    assert vit_recipe("tiny").whole.precision == precision
    assert codec_recipe("stae")[0].config.precision == precision
    assert vit_recipe("tiny", precision="32-true").whole.precision == "32-true"


def weights(model):
    return {name: x.clone() for name, x in model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def trained(squares, micro, tmp_path):
    """Return a function that trains a micro ViT and returns its weights."""

    def run(folder="run", config=CONFIG, model=None, clips=None, **options):
        model = model or VideoViT(micro)
        clips = clips or squares(20)
        train(model, classification(), clips, squares(8, 1), config, tmp_path / folder, **options)
        return weights(model)

    return run


# Learning


def test_the_last_epochs_settle(trained):
    assert CONFIG.augmentation is not None
    settled = replace(CONFIG, augmentation=CONFIG.augmentation.settled())
    all_along = trained("a", replace(CONFIG, settle_epochs=3))
    assert same(all_along, trained("b", settled))
    at_the_end = trained("c", replace(CONFIG, settle_epochs=1))
    assert not same(at_the_end, all_along)
    assert not same(at_the_end, trained("d"))


def test_the_recipe_learns_to_tell_directions(squares, micro, tmp_path):
    model = VideoViT(micro)
    step = replace(CONFIG, epochs=5, batch_size=16, learning_rate=5e-3)
    recipe = VitRecipe(stem=step, whole=replace(step, epochs=3, learning_rate=2e-3))
    rows = fit_vit(model, squares(256), squares(128, 1), recipe, tmp_path)
    assert len(rows) == 8
    assert rows[4]["val_accuracy"] > 0.8  # chance is 0.25
    assert rows[7]["val_accuracy"] > 0.8
    assert not model.training
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stem", "whole"]


def test_the_first_step_leaves_the_transformer_alone(squares, micro, tmp_path):
    model = VideoViT(micro)
    before = weights(model)
    recipe = VitRecipe(stem=CONFIG, whole=replace(CONFIG, epochs=1))
    fit_vit(model, squares(16), squares(8, 1), recipe, tmp_path)
    middle = load_file(tmp_path / "stem" / "checkpoint.safetensors")
    assert torch.equal(middle["model.head.weight"], before["head.weight"])
    assert not torch.equal(middle["model.stem_head.weight"], before["stem_head.weight"])
    assert not torch.equal(weights(model)["head.weight"], before["head.weight"])
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_every_epoch_is_a_row_and_a_line(trained, tmp_path, squares, micro):
    model = VideoViT(micro)
    config = replace(CONFIG, validate_every=2)
    rows = train(model, classification(), squares(20), squares(8, 1), config, tmp_path)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert ["val_accuracy" in row for row in rows] == [False, True, True]
    with (tmp_path / "training.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["loss"]) for line in lines] == [row["loss"] for row in rows]
    assert lines[0]["val_loss"] == ""


def test_the_rate_rises_and_then_falls_as_half_a_cosine(squares, tmp_path, monkeypatch):
    rates = []
    step = torch.optim.AdamW.step

    def recorded(self, *arguments, **options):
        rates.append([group["lr"] for group in self.param_groups])
        return step(self, *arguments, **options)

    monkeypatch.setattr(torch.optim.AdamW, "step", recorded)
    config = replace(CONFIG, epochs=4, batch_size=4, learning_rate=0.5, warmup_epochs=1.0)
    train(Line(), classification(), squares(8), squares(8, 1), config, tmp_path)
    cosine = [0.25 * (1 + math.cos(math.pi * k / 6)) for k in range(6)]
    expected = [0.25, 0.5, *cosine]
    assert rates == [[pytest.approx(rate)] * 2 for rate in expected]


def test_every_clip_is_seen_once_an_epoch_in_an_order_of_its_own(squares, tmp_path):
    asked = []
    clips = squares(8)
    drawn = clips.clip

    def clip(index):
        asked.append(index)
        return drawn(index)

    clips.clip = clip
    config = replace(CONFIG, epochs=2, batch_size=4)
    train(Line(), classification(), clips, squares(8, 1), config, tmp_path)
    first, second = asked[:8], asked[8:]
    assert sorted(first) == sorted(second) == list(range(8))
    assert first != second


def test_an_incomplete_last_batch_is_left_out(squares, tmp_path):
    sizes = []

    def objective(model, clips, labels):
        sizes.append(len(labels))
        return classification()(model, clips, labels)

    train(Line(), objective, squares(11), squares(4, 1), replace(CONFIG, epochs=1), tmp_path)
    assert sizes == [8, 4]  # a batch of training clips, the validation clips


def test_validation_means_are_over_clips_not_batches(squares, tmp_path):
    def objective(model, clips, labels):
        loss, _ = classification()(model, clips, labels)
        return loss, {"first": (labels == 0).float().mean()}

    (row,) = train(
        Line(), objective, squares(8), squares(9, 1), replace(CONFIG, epochs=1), tmp_path
    )
    assert row["val_first"] == pytest.approx(3 / 9)  # labels 0 1 2 3 0 1 2 3 | 0


def test_only_weights_that_multiply_features_decay(micro):
    decayed, others = training._parameter_groups(VideoViT(micro), 0.05)
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.05, 0.0)
    assert {parameter.ndim for parameter in decayed["params"]} == {2, 4}
    assert {parameter.ndim for parameter in others["params"]} == {1, 3}  # 3: positions


def test_a_loss_that_is_no_number_ends_the_training(squares, tmp_path):
    def objective(model, clips, labels):
        return model(clips).sum() * math.nan, {}

    with pytest.raises(ModelsError, match=r"the loss of epoch 1 is nan; lower learning_rate \(0.0"):
        train(Line(), objective, squares(8), squares(8, 1), CONFIG, tmp_path)
    assert not (tmp_path / "checkpoint.safetensors").exists()


# The same again


def test_the_seed_fixes_the_weights_and_touches_no_generator(trained):
    before = torch.get_rng_state()
    one = trained("one")
    assert torch.equal(torch.get_rng_state(), before)
    assert same(one, trained("two"))
    assert not same(one, trained("three", replace(CONFIG, seed=2)))


KILLED = """
import os, runpy, signal, sys, torch
from pathlib import Path
from fadeline.models.training.objectives import classification
from fadeline.models.training.loop import train
from fadeline.models.classifiers.vit import VideoViT

torch.set_num_threads(1)
names = runpy.run_path(sys.argv[1])
names_of = [
    vars(__import__(f"fadeline.models.{module}", fromlist=["x"]))
    for module in ("training.config", "classifiers.vit")
]
config, micro = eval(sys.argv[3], names_of[0] | names_of[1])
clips = names["MovingSquares"](20)
count = 0

def clip(index, draw=clips.clip):
    global count
    count += 1
    if count == 16 + 4:  # in the first batch of the second epoch
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(index)

clips.clip = clip
train(VideoViT(micro), classification(), clips, names["MovingSquares"](8, 1), config,
      Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_very_same_weights(trained, micro, tmp_path):
    conftest = Path(__file__).parents[1] / "conftest.py"
    result = subprocess.run(
        [sys.executable, "-c", KILLED, conftest, tmp_path / "killed", repr((CONFIG, micro))],
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == -signal.SIGKILL, result.stderr
    whole = trained("whole")
    resumed = trained("killed", resume=True)
    assert same(whole, resumed)
    with (tmp_path / "killed" / "training.csv").open(newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]
    stored = load_file(tmp_path / "killed" / "checkpoint.safetensors")
    assert same(stored, load_file(tmp_path / "whole" / "checkpoint.safetensors"))


def test_a_finished_run_is_not_trained_again(trained, squares):
    first = trained()
    clips = squares(20)
    clips.clip = None  # any use fails
    assert same(first, trained(clips=clips, resume=True))


def test_without_resume_a_training_starts_over(trained):
    assert same(trained(), trained())


def test_resuming_where_nothing_is_starts(trained):
    assert same(trained("one", resume=True), trained("two"))


# What is refused


def test_another_configuration_is_refused_by_name(trained):
    trained()
    with pytest.raises(
        WeightsError, match=r"training\.learning_rate is 0\.001, now 0\.002; resume"
    ):
        trained(config=replace(CONFIG, learning_rate=2e-3), resume=True)
    other = replace(CONFIG, augmentation=Augmentation(flip=0.0, shift_px=2))
    with pytest.raises(WeightsError, match=r"training\.augmentation\.shift_px is 1, now 2"):
        trained(config=other, resume=True)


def test_another_architecture_is_refused(trained, micro):
    trained()
    with pytest.raises(WeightsError, match=r"model_config\.dim is 32, now 16"):
        trained(model=VideoViT(replace(micro, dim=16)), resume=True)
    with pytest.raises(WeightsError, match="model is VideoViT, now Line"):
        trained(model=Line(), resume=True)


def test_another_start_is_refused(trained, micro):
    trained(model=VideoViT(micro, seed=1))
    with pytest.raises(WeightsError, match="start is "):
        trained(model=VideoViT(micro, seed=2), resume=True)


def test_an_older_training_in_the_folder_is_not_gone_on_with(squares, micro, tmp_path):
    recipe = VitRecipe(stem=CONFIG, whole=replace(CONFIG, epochs=1))
    alone, after = VideoViT(micro, seed=5), VideoViT(micro, seed=5)
    fit_vit(alone, squares(16), squares(8, 1), recipe, tmp_path / "alone")
    fit_vit(VideoViT(micro, seed=6), squares(16), squares(8, 1), recipe, tmp_path / "used")
    fit_vit(after, squares(16), squares(8, 1), recipe, tmp_path / "used")
    assert all(torch.equal(x, weights(after)[name]) for name, x in weights(alone).items())


def test_classes_of_other_names_are_refused(squares, micro, tmp_path):
    others = squares(8, 1)
    others.classes = ("a", "b", "c", "d")
    with pytest.raises(ClipError, match="its classes are not those of squares/0"):
        fit_vit(VideoViT(micro), squares(16), others, VitRecipe(), tmp_path)


def test_other_clips_are_refused(trained, squares):
    trained()
    with pytest.raises(WeightsError, match=r"data\.clips is 20, now 24"):
        trained(clips=squares(24), resume=True)


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-9], lambda _: b"x" * 99])
def test_a_damaged_checkpoint_is_refused(trained, tmp_path, damage):
    trained()
    path = tmp_path / "run" / "checkpoint.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WeightsError, match="is no readable checkpoint"):
        trained(resume=True)


def test_no_clips_are_refused(squares, tmp_path):
    with pytest.raises(ClipError, match="squares/0: holds no clips"):
        train(Line(), classification(), squares(0), squares(8), CONFIG, tmp_path)


def test_clips_that_do_not_fit_the_vit_are_refused(squares, micro, tmp_path):
    recipe = VitRecipe(CONFIG, CONFIG)
    with pytest.raises(ClipError, match="has 4 classes; this ViT has 5"):
        fit_vit(VideoViT(replace(micro, classes=5)), squares(8), squares(8), recipe, tmp_path)
    model = VideoViT(replace(micro, frames=16))
    with pytest.raises(ClipError, match=r"clips are \(8, 16, 16\) .* takes \(16, 16, 16\)"):
        fit_vit(model, squares(8), squares(8), recipe, tmp_path)


def test_lightning_is_asked_for_by_name(trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning.fabric", None)
    with pytest.raises(ModelsError, match=r"run: pip install 'fadeline\[train\]'"):
        trained()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be positive, got 0"),
        ({"learning_rate": math.nan}, "learning_rate must be positive, got nan"),
        ({"weight_decay": -1.0}, r"weight_decay must be at least 0, got -1\.0"),
        ({"precision": "16"}, "precision must be 32-true or bf16-mixed, got '16'"),
        ({"batch_size": 9, "devices": 2}, "batch_size 9 must be a multiple of devices 2"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_impossible_configurations_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **changes)


# Recipes and other weights


def test_recipes_take_what_the_user_chose():
    recipe = vit_recipe("tiny", epochs=2, stem_epochs=3, seed=9, precision="32-true")
    assert recipe.stem is not None
    assert (recipe.stem.epochs, recipe.whole.epochs) == (3, 2)
    assert recipe.stem.seed == recipe.whole.seed == 9
    assert recipe.stem.precision == recipe.whole.precision == "32-true"
    assert vit_recipe("tiny", stem_epochs=0).stem is None
    assert vit_recipe("base").stem is None


def test_other_classes_start_with_new_heads(micro, tmp_path, blank_card):
    old = VideoViT(micro, seed=1)
    path = tmp_path / "old.safetensors"
    save_weights(old, path, blank_card)
    new = VideoViT(replace(micro, classes=7), seed=2)
    left = start_from(new, path)
    assert left == ["stem_head.weight", "stem_head.bias", "head.weight", "head.bias"]
    assert torch.equal(new.embed.weight, old.embed.weight)
    assert start_from(VideoViT(micro), path) == []


def test_weights_of_another_network_are_no_start(micro, tmp_path, blank_card):
    path = tmp_path / "old.safetensors"
    save_weights(VideoViT(micro), path, blank_card)
    with pytest.raises(WeightsError, match=r"is of another network: .*embed\.weight.* may differ"):
        start_from(VideoViT(replace(micro, dim=16)), path)
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        start_from(VideoViT(micro), tmp_path / "none.safetensors")
