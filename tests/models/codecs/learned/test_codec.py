"""The codecs as networks and as coders: shapes, causality, gradients, bytes."""

import tracemalloc

import numpy as np
import pytest
import torch

from fadeline.models.classifiers.vit import VideoViT, VideoViTConfig
from fadeline.models.codecs.clip_coder import ClipCoder, fit_tables
from fadeline.models.codecs.entropy.bitstream import CHECK_BYTES, HEADER_BYTES, pack, read_header
from fadeline.models.codecs.learned.codec import LearnedCodec
from fadeline.models.codecs.learned.deepisc import DeepIscConfig
from fadeline.models.codecs.learned.quantiser import symbols
from fadeline.models.codecs.learned.rate import RateModel
from fadeline.models.codecs.learned.stae import StaeConfig
from fadeline.models.codecs.operating_point import OperatingPoint
from fadeline.models.errors import BitstreamError, ClipError
from fadeline.models.training.codec_objective import OVERHEAD_BYTES, CodecInTraining
from fadeline.models.training.gain_fitting import fit_gains
from fadeline.models.training.principal_components import start_from_components

SMALL = {
    "frames": 8, "size_px": 16, "patch_features": 8, "features": 16, "channels": 3,
    "decoder_features": 16, "pixel_features": 8,
}  # fmt: skip
STAE_POINTS = (
    OperatingPoint(20, frames=8, positions=32, channels=3, radius=7),
    OperatingPoint(60, frames=5, positions=12, channels=2, radius=2),
    OperatingPoint(40, frames=6, positions=20, channels=2, radius=3, packets=3),
)
DEEPISC_POINTS = (
    OperatingPoint(20, frames=8, positions=32, channels=3, radius=7),
    OperatingPoint(60, frames=4, positions=16, channels=2, radius=2),
    OperatingPoint(40, frames=6, positions=24, channels=2, radius=3, packets=3),
)
STAE, DEEPISC = StaeConfig(points=3, **SMALL), DeepIscConfig(points=3, **SMALL)


def made(kind, seed=1):
    if kind == "stae":
        codec = LearnedCodec(STAE, STAE_POINTS, seed=seed).eval()
    else:
        codec = LearnedCodec(DEEPISC, DEEPISC_POINTS, seed=seed).eval()
    with torch.no_grad():  # untrained values are small: spread them over the levels
        codec.quantiser.turn_up(torch.full((len(codec.points),), 3.0))
    return codec


@pytest.fixture(params=["stae", "deepisc"])
def codec(request, one_thread):
    return made(request.param)


@pytest.fixture
def coder(codec, squares):
    clips = squares(24)
    return ClipCoder(codec, fit_tables(codec, map(clips.clip, range(24))))


def classifier():
    config = VideoViTConfig(
        4, frames=8, size_px=16, stem_widths=(4,), stem_kernels_px=(3,), stem_times=(1,),
        stem_time_strides=(1,), dim=12, depth=1,
    )  # fmt: skip
    return VideoViT(config, seed=1).eval()


def clips_of(squares, count):
    pixels = np.stack([squares(count).clip(i) for i in range(count)])
    return torch.from_numpy(pixels).permute(0, 4, 1, 2, 3).float() / 255.0


def test_a_pass_restores_clips_and_counts_bits(codec, squares):
    clips = clips_of(squares, 6)
    points = torch.arange(6) % len(codec.points)
    sent = codec(clips, points)
    assert sent.clips.shape == clips.shape
    assert 0.0 <= sent.clips.min() <= sent.clips.max() <= 1.0
    for clip, point in enumerate(points.tolist()):
        settings = codec.points[point]
        plan = sent.plan
        assert plan.kept[clip].sum() == settings.positions
        assert plan.kept[clip].flatten(1).any(dim=1).sum() == settings.frames
        assert plan.steps[clip].abs().max() <= settings.radius
        assert not plan.steps[clip][..., settings.channels :].any()
    assert (CodecInTraining(codec, classifier()).bits(sent.plan, points) > 0).all()


def test_every_parameter_learns(codec, squares):
    codec.train()
    with torch.no_grad():  # some layers start at zero, which lets nothing through at first
        for parameter in codec.parameters():
            if not parameter.any():
                parameter.fill_(0.1)
    points = torch.arange(6) % len(codec.points)
    sent = codec(clips_of(squares, 6), points)
    bits = CodecInTraining(codec, classifier()).bits(sent.plan, points)
    (sent.clips.square().mean() + 1e-4 * bits.mean()).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in codec.parameters())
    deaf = [name for name, p in codec.named_parameters() if p.grad is None or not p.grad.any()]
    assert deaf == []


def test_bytes_restore_what_training_restores(coder, codec, squares):
    clips = clips_of(squares, 3)
    for point in range(len(codec.points)):
        for i in range(3):
            with torch.inference_mode():
                expected = codec(clips[i : i + 1], torch.tensor([point])).clips[0]
            restored = coder.decode(coder.encode(squares(3).clip(i), point).stream)
            assert restored.dtype == np.uint8
            assert restored.shape == (8, 16, 16, 3)
            difference = restored / 255.0 - expected.permute(1, 2, 3, 0).numpy()
            assert np.abs(difference).max() <= 0.5 / 255.0 + 1e-4


def encodings(coder, clip):
    """Return a clip at every operating point; the network runs once."""
    analysis = coder.analysed(clip)
    return [coder.coded(analysis, point) for point in range(len(coder.points))]


def test_encodings_are_what_encode_gives(coder, codec, squares):
    clip = squares(3).clip(1)
    for point, encoding in enumerate(encodings(coder, clip)):
        settings = codec.points[point]
        assert encoding == coder.encode(clip, point)
        assert len(encoding.prefix_bytes) == settings.packets
        assert encoding.prefix_bytes[-1] == len(encoding.stream)
        for length in encoding.prefix_bytes:
            coder.decode(encoding.stream[:length])
        if codec.temporal or settings.packets > 1:
            assert encoding.frame_bytes is None
        else:
            assert len(encoding.frame_bytes) == codec.config.frames
            assert sum(encoding.frame_bytes) == len(encoding.stream)
            assert min(encoding.frame_bytes) >= 0


def test_frames_sent_early_need_no_later_ones(one_thread, squares):
    """The bytes that an image codec gives out for its first frames never change again."""
    codec = made("deepisc")
    coder = ClipCoder(codec, fit_tables(codec, map(squares(24).clip, range(24))))
    clip = squares(3).clip(1)
    other = clip.copy()
    other[5:] = 255 - other[5:]
    first, second = (coder.encode(pixels, 0) for pixels in (clip, other))
    assert first.frame_bytes is not None
    assert second.frame_bytes is not None
    early = sum(first.frame_bytes[:5])
    assert early > HEADER_BYTES
    assert first.frame_bytes[:5] == second.frame_bytes[:5]
    content = slice(HEADER_BYTES + CHECK_BYTES, early + CHECK_BYTES)
    assert first.stream[content] == second.stream[content]
    assert first.stream[content.stop :] != second.stream[content.stop :]


def test_a_prefix_of_packets_restores_less_of_the_same(one_thread, squares):
    codec = made("stae")
    coder = ClipCoder(codec, fit_tables(codec, [squares(1).clip(0)]))
    clip = squares(1).clip(0)
    stream = coder.encode(clip, 2).stream
    borders, at = [], 4
    while at < len(stream):
        at += 4 + int.from_bytes(stream[at + 2 : at + 4])
        borders.append(at)
    assert borders[-1] == len(stream)
    assert len(borders) == 3
    whole = coder.decode(stream).astype(int)
    far = [np.abs(coder.decode(stream[:b]).astype(int) - whole).mean() for b in borders]
    assert far[0] > far[1] > far[2] == 0


def test_ten_thousand_damaged_streams_are_errors(coder, codec, squares):
    """Flipped bits, cuts, foreign bytes, and damage that the checksum does not see.

    A checksum of 16 bits passes one in 65,536 by chance: a valid decode is then no fault.
    """
    rng = np.random.default_rng(3)
    streams = [
        coder.encode(squares(2).clip(i), point).stream
        for i in range(2)
        for point in range(len(codec.points))
    ]
    borders = {
        length
        for i in range(2)
        for e in encodings(coder, squares(2).clip(i))
        for length in e.prefix_bytes
    }
    passed = 0
    tracemalloc.start()
    for number in range(10_000):
        damaged = bytearray(streams[number % len(streams)])
        kind = number % 4
        if kind == 0:
            for _ in range(rng.integers(1, 6)):
                damaged[rng.integers(len(damaged))] ^= int(rng.integers(1, 256))
        elif kind == 1:
            cut = int(rng.integers(len(damaged)))
            del damaged[cut - (cut in borders) :]
        elif kind == 2:
            damaged = bytearray(rng.bytes(int(rng.integers(200))))
        else:  # every checksum put right again
            settings = codec.points[number % len(streams) % len(codec.points)]
            header = read_header(bytes(damaged))
            contents = [rng.bytes(int(rng.integers(1, 60))) for _ in range(settings.packets)]
            damaged = bytearray(pack(header, contents, packets=settings.packets))
        try:
            clip = coder.decode(bytes(damaged))
        except BitstreamError:
            continue
        assert clip.shape == (8, 16, 16, 3)
        passed += kind < 3
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6
    assert passed <= 3


def test_streams_of_other_weights_are_refused(squares, one_thread):
    clip = squares(1).clip(0)
    first, second = (
        ClipCoder(codec, fit_tables(codec, [clip]))
        for codec in (made("stae", seed=1), made("stae", seed=2))
    )
    with pytest.raises(BitstreamError, match="of other weights"):
        second.decode(first.encode(clip, 0).stream)


@pytest.mark.parametrize(
    "clip",
    [
        np.zeros((7, 16, 16, 3), np.uint8),
        np.zeros((8, 16, 16), np.uint8),
        np.zeros((8, 16, 16, 3), np.float32),
        np.full((8, 16, 16, 3), np.nan),
    ],
)
def test_clips_of_another_shape_or_type_are_refused(coder, clip):
    with pytest.raises(ClipError, match=r"8-bit RGB clips of \(8, 16, 16, 3\)"):
        coder.encode(clip, 0)


@pytest.mark.parametrize("point", [-1, 9])
def test_an_operating_point_that_is_not_there_is_refused(coder, squares, point):
    with pytest.raises(ValueError, match=f"operating point {point}; there are 0 to"):
        coder.encode(squares(1).clip(0), point)


def test_an_image_codec_sees_one_frame_at_a_time(one_thread, squares):
    codec = made("deepisc")
    clips = clips_of(squares, 1)
    other = clips.clone()
    other[:, :, 5] = 0.5
    point = torch.tensor([0])
    with torch.inference_mode():
        different = (codec(clips, point).clips - codec(other, point).clips).abs().amax((0, 1, 3, 4))
    assert (different > 0).nonzero().flatten().tolist() == [5]


def test_a_value_feels_which_neighbour_is_cheaper(one_thread):
    """Before anything is counted, each step away from zero costs a bit, at the range's edge too."""
    rate = RateModel([2, 7], 1, temporal=True).eval()
    steps = torch.tensor([2.0, -2.0, 0.75, -0.25]).reshape(1, 1, 1, 4, 1).requires_grad_()
    everywhere = torch.ones(1, 1, 1, 4, dtype=torch.bool)
    one = torch.ones(1, 1, dtype=torch.bool)
    bits = rate(steps, everywhere, one, torch.tensor([0]), torch.tensor([False]))
    bits.sum().backward()
    assert steps.grad is not None
    assert steps.grad.flatten().tolist() == pytest.approx([1.0, -1.0, 1.0, -1.0])
    # Levels 2, -2, 1 and 0 of weights 1/4, 1/2, 1, 1/2, 1/4.
    assert bits.item() == pytest.approx(4 * np.log2(2.5) + 2 + 2 + 1 + 0)


def test_bits_follow_what_was_sent_lately(one_thread):
    """Symbols that are always the same become free."""
    rate = RateModel([3], 1, temporal=False).train()
    steps = torch.full((1, 1, 8, 8, 1), 2.0)
    everywhere = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    one, point = torch.ones(1, 1, dtype=torch.bool), torch.tensor([0])
    first, *_, last = (
        rate(steps, everywhere, one, point, torch.tensor([False])).item() for _ in range(100)
    )
    assert last < 2.0 < first


def test_estimated_bits_are_those_of_the_stream(one_thread, squares):
    """Having counted the same clips as the tables, training estimates the length of the bytes."""
    codec = made("stae")
    clips = clips_of(squares, 24)
    tables = fit_tables(codec, map(squares(24).clip, range(24)))
    coder = ClipCoder(codec, tables)
    for point, settings in enumerate(codec.points):
        points = torch.full((24,), point)
        with torch.no_grad():
            plan = codec.plan(codec.encoder(clips), points)
            rate = RateModel([7, 2, 3], 3, temporal=True).train()  # the estimate after counting
            bits = rate(plan.steps, plan.kept, plan.active, points, codec.flagged[points])
            estimate = bits.mean().item() / 8 + OVERHEAD_BYTES
        length = np.mean([len(coder.encode(squares(24).clip(i), point).stream) for i in range(24)])
        if settings.packets == 1:  # several know nothing of each other
            # Flags of frames are left out, 8 bits at most here, and priors differ.
            assert length == pytest.approx(estimate, rel=0.1, abs=3.0)
        else:
            assert length > estimate


def test_what_is_held_is_what_arrives(one_thread, squares):
    """The encoder predicts from what the decoder has: nothing drifts, whatever is left out."""
    codec = made("stae")
    points = torch.arange(6) % 3
    with torch.no_grad():
        encoded = codec.encoder(clips_of(squares, 6))
        plan = codec.plan(encoded, points)
        wanted = codec.quantiser.scaled(encoded.values, points) * plan.active[:, None, None, None]
        held = (symbols(plan.steps) * plan.kept[..., None]).cumsum(dim=1)
    radius = torch.tensor([point.radius for point in codec.points])[points]
    reached = plan.steps.abs() < radius[:, None, None, None, None]
    sent = plan.kept[..., None] & reached
    assert sent.float().mean() > 0.2
    assert (held - wanted).abs()[sent].max() <= 0.6 + 1e-4  # 1 - ROUNDING


def test_gains_are_fitted_to_the_bits_asked_for(one_thread, squares):
    codec = LearnedCodec(STAE, STAE_POINTS, seed=1)
    clips = clips_of(squares, 24)
    start_from_components(codec, clips)
    wanted = torch.tensor([120.0, 40.0, 60.0])
    fit_gains(codec, clips, wanted)
    points = torch.arange(3).repeat_interleave(24)
    with torch.no_grad():
        plan = codec.plan(codec.encoder(clips.repeat(3, 1, 1, 1, 1)), points)
        rate = RateModel([7, 2, 3], 3, temporal=True)
        bits = rate(plan.steps, plan.kept, plan.active, points, codec.flagged[points])
    assert bits.view(3, 24).mean(dim=1).tolist() == pytest.approx(wanted.tolist(), rel=0.1)


@pytest.mark.parametrize("kind", ["stae", "deepisc"])
def test_components_restore_before_any_training(one_thread, squares, kind):
    """With as many channels as a patch has values, the linear part alone gives the clip back."""
    config = (StaeConfig if kind == "stae" else DeepIscConfig)(
        points=1, **SMALL | {"channels": 192}
    )
    codec = LearnedCodec(config, [OperatingPoint(2, 8, 32, 192, 15)], seed=1)
    clips = clips_of(squares, 24)
    start_from_components(codec, clips)
    with torch.no_grad():
        values = codec.encoder(clips).values
        everywhere, points = torch.ones(values.shape[:4]), torch.zeros(24, dtype=torch.long)
        restored = codec.decoder(values, everywhere, points)
    assert (restored - clips).abs().max() < 1e-3


def test_operating_points_must_fit_the_network():
    with pytest.raises(ValueError, match=r"2 operating points, but config.points is 3"):
        LearnedCodec(STAE, STAE_POINTS[:2])
    with pytest.raises(ValueError, match="at most 3 channels and 8 frames"):
        LearnedCodec(STAE, [*STAE_POINTS[:2], OperatingPoint(9, 8, 32, 4, 7)])
    with pytest.raises(ValueError, match="an image codec sends whole frames"):
        LearnedCodec(DEEPISC, [*DEEPISC_POINTS[:2], OperatingPoint(9, 8, 31, 3, 7)])
    with pytest.raises(ValueError, match="packets a divisor of 8"):
        LearnedCodec(DEEPISC, [*DEEPISC_POINTS[:2], OperatingPoint(9, 8, 32, 3, 7, packets=3)])
    with pytest.raises(ValueError, match="at most 32 can be told apart"):
        LearnedCodec(StaeConfig(points=33, **SMALL), STAE_POINTS[:1] * 33)
    with pytest.raises(ValueError, match="5 frames have 20 positions, got 21"):
        LearnedCodec(STAE, [*STAE_POINTS[:2], OperatingPoint(9, 5, 21, 3, 7)])
