"""The video ViT: shapes, sizes, costs, and what its answers depend on."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from fadeline.models.classifiers.vit import StemStage, VideoViT, VideoViTConfig, vit_preset
from fadeline.models.hardware.network_cost import network_cost


def random_clips(count, config, seed=0):
    generator = torch.Generator().manual_seed(seed)
    side = config.size_px
    return torch.rand(count, 3, config.frames, side, side, generator=generator)


@pytest.fixture
def vit(micro):
    return VideoViT(micro).eval()


# Shapes and sizes


def test_tiny_answers_clips_with_a_logit_per_class():
    config = vit_preset("tiny", classes=5)
    model = VideoViT(config).eval()
    clips = random_clips(2, config)
    with torch.no_grad():
        assert model(clips).shape == (2, 5)
        assert model.stem_logits(clips).shape == (2, 5)
        assert model.features(clips).shape == (2, *config.grid, config.stem_widths[-1])


def test_tiny_is_small_enough_to_ship_and_to_train():
    model = VideoViT(vit_preset("tiny", classes=24)).eval()
    stored_bytes = sum(x.numel() * x.element_size() for x in model.state_dict().values())
    assert stored_bytes < 8e6
    assert sum(parameter.numel() for parameter in model.parameters()) < 2e6
    assert network_cost(model, random_clips(1, model.config)).flops < 1.5e9


def transformer_parameters(config, box):
    """Tokens, positions, blocks, norm and head, counted by hand."""
    D, (times, places) = config.dim, config.tokens
    block = (D + 1) * 3 * D + (D + 1) * D + 4 * D + (D * config.mlp_ratio) * (2 * D + 1) + D
    return (
        (box + 1) * D
        + (times + places) * D
        + config.depth * block
        + 2 * D
        + (D + 1) * (config.classes)
    )


def transformer_flops(config, box):
    """Two for each multiply-add of the matrix products of one clip."""
    D, N = config.dim, np.prod(config.tokens)
    block = 2 * N * D * (3 * D + D + 2 * config.mlp_ratio * D) + 2 * (2 * N * N * D)
    return 2 * N * box * D + config.depth * block + 2 * D * config.classes


def on_meta(config):
    with torch.device("meta"):
        return VideoViT(config).eval()


def test_base_has_the_size_of_vit_b_16_and_costs_what_its_products_do():
    config = vit_preset("base", classes=51)
    box = 3 * 2 * 16 * 16
    assert config.tokens == (8, 196)
    model = on_meta(config)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count == transformer_parameters(config, box)
    # ViT-B/16 has 86 million (Dosovitskiy et al., table 1); tubelets of two frames add 0.6.
    assert count == pytest.approx(86.4e6, rel=0.01)
    clip = torch.zeros(1, 3, 16, 224, 224, device="meta")
    assert network_cost(model, clip).flops == transformer_flops(config, box)


def test_base_answers_a_clip():
    config = vit_preset("base", classes=3)
    model = on_meta(config).to_empty(device="cpu")
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for parameter in model.parameters():
            parameter.fill_(0.01)  # drawing 86 million numbers takes longer than the answer
        logits = model(random_clips(1, config))
    assert logits.shape == (1, 3)
    assert torch.isfinite(logits).all()


def test_flops_of_the_stem_are_those_of_its_convolutions(micro):
    model = VideoViT(micro).eval()
    inputs = model.state_dict()["stem.0.space.weight"].shape[1]
    stem = (
        2 * 8 * 8 * 8 * 16 * inputs * 9  # space: 8 frames of 8x8 px
        + 2 * 8 * 4 * 4 * 32 * 16 * 9
        + 2 * 4 * 4 * 4 * 32 * 32 * 3  # time: 4 times of 4x4
    )
    found = network_cost(model, random_clips(1, micro)).flops
    assert found == stem + transformer_flops(micro, box=2 * 2 * 2 * 32)


@pytest.mark.parametrize("times", [1, 3])
def test_a_stem_stage_equals_3d_convolutions(times):
    stage = StemStage(6, 8, kernel_px=3, times=times, time_stride=2 if times > 1 else 1).eval()
    space = nn.Conv3d(6, 8, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1), bias=False)
    clips = torch.rand(2, 4, 10, 10, 6, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        space.weight.copy_(stage.space.weight.unsqueeze(2))
        expected = stage_norm(stage.space_norm, space(clips.permute(0, 4, 1, 2, 3)))
        if times > 1:
            line = nn.Conv3d(8, 8, (3, 1, 1), stride=(2, 1, 1), padding=(1, 0, 0), bias=False)
            line.weight.copy_(stage.state_dict()["time.weight"].unsqueeze(-1))
            expected = stage_norm(stage.time_norm, line(expected))
        torch.testing.assert_close(stage(clips), expected.permute(0, 2, 3, 4, 1))


def stage_norm(norm, grid):
    shape = (1, -1, 1, 1, 1)
    scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).view(shape)
    return torch.relu((grid - norm.running_mean.view(shape)) * scale + norm.bias.view(shape))


# What answers depend on


def test_answers_do_not_depend_on_the_batch_or_the_layout(vit):
    clips = random_clips(4, vit.config)
    with torch.no_grad():
        together = vit(clips)
        alone = torch.cat([vit(clip[None]) for clip in clips])
        features_last = clips.permute(0, 2, 3, 4, 1).contiguous().permute(0, 4, 1, 2, 3)
        torch.testing.assert_close(together, alone)
        torch.testing.assert_close(together, vit(features_last))
        assert torch.equal(together, vit(clips))


def test_answers_depend_on_the_order_of_frames(vit):
    clips = random_clips(1, vit.config)
    with torch.no_grad():
        assert not torch.allclose(vit(clips), vit(clips.flip(2)), atol=1e-5)


def test_gradients_reach_every_parameter_and_the_clips(micro):
    model = VideoViT(micro)
    clips = random_clips(2, micro).requires_grad_()
    grid = model.features(clips)
    (model.classify(grid).square().sum() + model.classify_stem(grid).square().sum()).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert clips.grad.abs().sum() > 0


def test_dropping_happens_in_training_only(micro):
    model = VideoViT(dataclasses.replace(micro, dropout=0.5, drop_path=0.5))
    clips = random_clips(2, micro)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        assert not torch.equal(model.train()(clips), model(clips))
        assert torch.equal(model.eval()(clips), model(clips))


def test_the_seed_fixes_the_weights_and_touches_no_generator(micro):
    before = torch.get_rng_state()
    one, same, other = (VideoViT(micro, seed=seed).head.weight for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


# What is refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": 5}, "dim 32 must be a multiple of heads 5"),
        ({"stem_kernels_px": (3,)}, "stem_kernels_px: one value for each of 2 stages"),
        ({"stem_kernels_px": (4, 3)}, "stem_kernels_px must be odd"),
        ({"stem_times": (1, 1)}, "cannot step over times without a temporal filter"),
        ({"tubelet": (3, 2, 2)}, r"a grid of \(4, 4, 4\) .* cannot be cut into tubelets of \(3"),
    ],
    ids=["heads", "stages", "odd", "stride", "tubelet"],
)
def test_numbers_that_do_not_fit_are_refused(micro, changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(micro, **changes)


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="no ViT preset 'huge'; there are tiny and base"):
        vit_preset("huge", classes=2)  # type: ignore[arg-type]


def test_clips_of_another_shape_are_refused(vit):
    with pytest.raises(ValueError, match=r"clips must be \(B, 3, 8, 16, 16\), got \(1, 3, 4, 16"):
        vit(torch.zeros(1, 3, 4, 16, 16))


def test_a_vit_without_stem_has_no_answer_of_its_own():
    config = VideoViTConfig(
        classes=3,
        frames=4,
        size_px=16,
        stem_widths=(),
        stem_kernels_px=(),
        stem_times=(),
        stem_time_strides=(),
        tubelet=(2, 8, 8),
        dim=8,
        depth=1,
        heads=1,
    )
    model = VideoViT(config).eval()
    clips = random_clips(1, config)
    assert model(clips).shape == (1, 3)
    with pytest.raises(ValueError, match="has no stem"):
        model.stem_logits(clips)
