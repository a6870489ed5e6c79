"""What a codec is trained for: answers, pixels, bits at a price, and what a teacher says."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from fadeline.models.classifiers.vit import VideoViT
from fadeline.models.codecs.learned.codec import Codec
from fadeline.models.codecs.learned.stae import StaeConfig
from fadeline.models.codecs.operating_point import PAPER_RATIO, OperatingPoint
from fadeline.models.training.codec_objective import Aims, PricedCodec, codec_objective

SMALL = {
    "frames": 8, "size_px": 16, "patch_features": 8, "features": 16, "channels": 3,
    "decoder_features": 16, "pixel_features": 8,
}  # fmt: skip
TWO_POINTS = (OperatingPoint(20, 8, 32, 3, 7), OperatingPoint(60, 5, 12, 2, 2))


@pytest.fixture
def priced(one_thread, micro):
    codec = Codec(StaeConfig(points=2, **SMALL), TWO_POINTS, seed=1)
    with torch.no_grad():  # untrained values are small: spread them over the levels
        codec.quantiser.turn_up(torch.full((2,), 3.0))
    return PricedCodec(codec, VideoViT(micro, seed=1)).train()


@pytest.fixture
def clips(squares):
    pixels = np.stack([squares(8).clip(i) for i in range(8)])
    return torch.from_numpy(pixels).permute(0, 4, 1, 2, 3).float() / 255.0


def test_price_follows_the_ratio(priced):
    points = torch.tensor([0, 1, 1])
    before = priced.price.clone()
    wanted = priced.target_bits[points]
    priced.reprice(wanted * torch.tensor([2.0, 0.5, 0.5]), points)
    assert priced.price[0] > before[0]
    assert priced.price[1] < before[1]
    middle = priced.price.clone()
    priced.reprice(wanted, points)
    assert torch.equal(priced.price, middle)


def test_the_ratio_of_the_paper_is_trained_twice_as_often(priced, clips, monkeypatch):
    points = [OperatingPoint(ratio, 8, 32, 3, 7) for ratio in (50, PAPER_RATIO)]
    other = PricedCodec(Codec(StaeConfig(points=2, **SMALL), points), priced.classifier).train()
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


def test_a_ratio_that_leaves_no_bits_is_refused(priced):
    codec = Codec(StaeConfig(points=1, **SMALL), [OperatingPoint(800, 8, 32, 3, 7)])
    with pytest.raises(ValueError, match="ratios must be below 768"):
        PricedCodec(codec, priced.classifier)


@pytest.mark.parametrize("soft", [True, False])
def test_objective_weighs_answers_pixels_looks_and_bits(priced, clips, soft):
    assert not priced.classifier.training
    price = priced.price.clone()
    objective = codec_objective(Aims(recognition=1.0, fidelity=0.1, likeness=0.1, soft=soft))
    loss, figures = objective(priced, clips, torch.arange(8) % 4)
    loss.backward()
    assert set(figures) == {"psnr_db", "unlike", "accuracy"} | (set() if soft else {"load"})
    assert torch.equal(priced.price, price) == soft
    assert priced.codec.encoder.transform.weight.grad is not None


def test_the_teacher_answers_for_clips_as_they_are_and_stays_as_it_is(priced, clips):
    """The loss of guidance alone is T^2 times the divergence from the teacher's warm answers."""
    with torch.no_grad():
        for parameter in priced.classifier.parameters():  # as if it had learnt since
            parameter.mul_(1.1)
    torch.manual_seed(3)
    aims = Aims(guidance=1.0, priced=False)
    loss, _ = codec_objective(aims)(priced, clips, torch.arange(8) % 4)
    torch.manual_seed(3)
    points = torch.multinomial(torch.ones(2), 8, replacement=True)
    with torch.no_grad():
        said = (priced.teacher(clips) / 2.0).softmax(dim=1)
        heard = (priced.classifier(priced.codec(clips, points).clips) / 2.0).log_softmax(dim=1)
    expected = 4.0 * functional.kl_div(heard, said, reduction="batchmean")
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert loss.item() > 0
    loss.backward()
    assert all(parameter.grad is None for parameter in priced.teacher.parameters())
    assert priced.classifier.head.weight.grad.abs().sum() > 0


def test_guidance_is_of_training_only(priced, clips):
    aims = Aims(recognition=1.0, priced=False)
    guided = Aims(recognition=1.0, guidance=1.0, priced=False)
    labels = torch.arange(8) % 4
    priced.eval()
    plain, both = (codec_objective(given)(priced, clips, labels)[0] for given in (aims, guided))
    assert plain == both
