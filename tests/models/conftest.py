"""Small clips and a small network, to learn from within seconds."""

import numpy as np
import pytest

DIRECTIONS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}


class MovingSquares:
    """A bright square on a dark ground; the class is the direction that it moves in."""

    version = "1"
    classes = tuple(DIRECTIONS)
    shape = (8, 16, 16)

    def __init__(self, count, seed=0):
        self.name = f"squares/{seed}"
        self.labels = np.arange(count) % len(DIRECTIONS)
        self._seed = seed

    def __len__(self):
        return len(self.labels)

    def clip(self, index):
        rng = np.random.default_rng([self._seed, index])
        T, H, W = self.shape
        step = np.array(list(DIRECTIONS.values())[self.labels[index]])
        corner, colour, ground = rng.integers(0, H, 2), rng.integers(120, 256, 3), rng.integers(100)
        clip = np.full((T, H, W, 3), ground, np.uint8)
        for t in range(T):
            y, x = corner + step * t
            clip[t][np.ix_((y + np.arange(4)) % H, (x + np.arange(4)) % W)] = colour
        return clip


@pytest.fixture
def squares():
    """Return a function that makes clips: squares(count, seed=0)."""
    return MovingSquares


@pytest.fixture
def micro():
    """Return the config of a ViT for these clips, with everything that `tiny` has."""
    from fadeline.models.classifiers.vit import VideoViTConfig

    return VideoViTConfig(
        classes=4,
        frames=8,
        size_px=16,
        stem_widths=(16, 32),
        stem_kernels_px=(3, 3),
        stem_times=(1, 3),
        stem_time_strides=(1, 2),
        tubelet=(2, 2, 2),
        dim=32,
        depth=2,
        heads=2,
        dropout=0.1,
        drop_path=0.1,
    )


@pytest.fixture
def one_thread():
    """Let torch use one thread, which is the quickest for networks this small."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def blank_card():
    """Return a card that claims next to nothing."""
    from fadeline.models.weights import Card

    return Card(
        task="which way a square moves",
        architecture="VideoViT",
        config={},
        classes=["left", "right", "up", "down"],
        data="squares/1",
        data_version="1",
        data_checksum="00",
        splits={"squares/0": 512, "squares/1": 128},
        correct=96,
        count=128,
        per_class_accuracy={},
        confusion=[],
        parameters=0,
        flops=0,
        command="fadeline train vit",
        seed=1,
        wall_s=1.0,
    )
