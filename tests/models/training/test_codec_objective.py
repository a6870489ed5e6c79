"""What a codec is trained for: answers, pixels, bits at a rate weight, and what a teacher says."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from fadeline.models.classifiers.vit import VideoViT
from fadeline.models.codecs.learned.codec import LearnedCodec
from fadeline.models.codecs.learned.stae import StaeConfig
from fadeline.models.codecs.operating_point import PAPER_RATIO, OperatingPoint
from fadeline.models.training.codec_objective import Aims, CodecInTraining, codec_objective

SMALL = {
    "frames": 8, "size_px": 16, "patch_features": 8, "features": 16, "channels": 3,
    "decoder_features": 16, "pixel_features": 8,
}  # fmt: skip
TWO_POINTS = (OperatingPoint(20, 8, 32, 3, 7), OperatingPoint(60, 5, 12, 2, 2))


@pytest.fixture
def model(one_thread, micro):
    codec = LearnedCodec(StaeConfig(points=2, **SMALL), TWO_POINTS, seed=1)
    with torch.no_grad():  # untrained values are small: spread them over the levels
        codec.quantiser.turn_up(torch.full((2,), 3.0))
    return CodecInTraining(codec, VideoViT(micro, seed=1)).train()


@pytest.fixture
def clips(squares):
    pixels = np.stack([squares(8).clip(i) for i in range(8)])
    return torch.from_numpy(pixels).permute(0, 4, 1, 2, 3).float() / 255.0


def test_the_rate_weight_follows_the_ratio(model):
    points = torch.tensor([0, 1, 1])
    before = model.rate_weight.clone()
    wanted = model.target_bits[points]
    model.adjust_rate_weight(wanted * torch.tensor([2.0, 0.5, 0.5]), points)
    assert model.rate_weight[0] > before[0]
    assert model.rate_weight[1] < before[1]
    middle = model.rate_weight.clone()
    model.adjust_rate_weight(wanted, points)
    assert torch.equal(model.rate_weight, middle)


def test_the_ratio_of_the_paper_is_trained_twice_as_often(model, clips, monkeypatch):
    points = [OperatingPoint(ratio, 8, 32, 3, 7) for ratio in (50, PAPER_RATIO)]
    other = CodecInTraining(
        LearnedCodec(StaeConfig(points=2, **SMALL), points), model.classifier
    ).train()
    drawn = []

    def softly(clips, points):
        drawn.append(points)
        return clips

    monkeypatch.setattr(other.codec, "softly", softly)
    torch.manual_seed(0)
    for _ in range(150):
        codec_objective(Aims(fidelity=1.0, soft=True))(other, clips, torch.zeros(8))
    # 1,200 draws of a chance of 2/3: 4 deviations are a false alarm of 1 in 16,000
    assert torch.cat(drawn).float().mean() == pytest.approx(2 / 3, abs=4 * (2 / 9 / 1200) ** 0.5)


def test_a_ratio_that_leaves_no_bits_is_refused(model):
    codec = LearnedCodec(StaeConfig(points=1, **SMALL), [OperatingPoint(800, 8, 32, 3, 7)])
    with pytest.raises(ValueError, match="ratios must be below 768"):
        CodecInTraining(codec, model.classifier)


@pytest.mark.parametrize("soft", [True, False])
def test_objective_weighs_answers_pixels_looks_and_bits(model, clips, soft):
    assert not model.classifier.training
    weight = model.rate_weight.clone()
    objective = codec_objective(Aims(recognition=1.0, fidelity=0.1, likeness=0.1, soft=soft))
    loss, figures = objective(model, clips, torch.arange(8) % 4)
    loss.backward()
    assert set(figures) == {"psnr_db", "unlike", "accuracy"} | (set() if soft else {"load"})
    assert torch.equal(model.rate_weight, weight) == soft
    assert model.codec.encoder.transform.weight.grad is not None


def test_the_teacher_answers_for_clips_as_they_are_and_stays_as_it_is(model, clips):
    """The loss of guidance alone is T^2 times the divergence from the teacher's warm answers."""
    with torch.no_grad():
        for parameter in model.classifier.parameters():  # as if it had learnt since
            parameter.mul_(1.1)
    torch.manual_seed(3)
    aims = Aims(guidance=1.0, rate=False)
    loss, _ = codec_objective(aims)(model, clips, torch.arange(8) % 4)
    torch.manual_seed(3)
    points = torch.multinomial(torch.ones(2), 8, replacement=True)
    with torch.no_grad():
        said = (model.teacher(clips) / 2.0).softmax(dim=1)
        heard = (model.classifier(model.codec(clips, points).clips) / 2.0).log_softmax(dim=1)
    expected = 4.0 * functional.kl_div(heard, said, reduction="batchmean")
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert loss.item() > 0
    loss.backward()
    assert all(parameter.grad is None for parameter in model.teacher.parameters())
    assert model.classifier.head.weight.grad.abs().sum() > 0


def test_guidance_is_of_training_only(model, clips):
    aims = Aims(recognition=1.0, rate=False)
    guided = Aims(recognition=1.0, guidance=1.0, rate=False)
    labels = torch.arange(8) % 4
    model.eval()
    plain, both = (codec_objective(given)(model, clips, labels)[0] for given in (aims, guided))
    assert plain == both
