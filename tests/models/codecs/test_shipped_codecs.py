"""The codecs that come with the package: what their cards claim, on clips of another draw."""

import numpy as np
import pytest
import torch

from fadeline.models.clips.actions import ActionClips
from fadeline.models.codecs.stored_codec import load_codec
from fadeline.models.controls import SomeClips
from fadeline.models.share import Share
from fadeline.models.weights import shipped_weights

CODECS = [
    name for name in ("stae", "deepisc", "deepisc-task") if f"{name}-actions" in shipped_weights()
]
CLIPS = 120


@pytest.mark.parametrize("name", CODECS)
def test_a_shipped_codec_is_as_good_as_its_card_says(one_thread, name):
    """Accuracy within the interval that so few clips allow; bytes within a tenth of the aim."""
    trained = load_codec(f"{name}-actions")
    assert trained.name == name
    point = trained.codec.nearest_point(104)
    clips = SomeClips(ActionClips("val"), CLIPS)
    right, sizes = 0, []
    for index in range(CLIPS):
        clip = np.asarray(clips.clip(index))
        stream = trained.coder.encode(clip, point)
        restored = torch.from_numpy(trained.coder.decode(stream))
        with torch.inference_mode():
            logits = trained.classifier(restored.permute(3, 0, 1, 2)[None].float() / 255.0)
        right += int(logits.argmax()) == clips.labels[index]
        sizes.append(len(stream))
    assert Share(int(right), CLIPS).agrees_with(trained.card.accuracy)
    assert clips.clip(0).size / np.mean(sizes) == pytest.approx(104, rel=0.1)


@pytest.mark.parametrize("name", CODECS)
def test_bytes_are_fewer_the_higher_the_ratio(one_thread, name):
    trained = load_codec(f"{name}-actions")
    clip = np.asarray(ActionClips("val").clip(3))
    points = sorted(
        (point.ratio, number)
        for number, point in enumerate(trained.codec.points)
        if point.packets == 1
    )
    encodings = trained.coder.encodings(clip)
    sizes = [len(encodings[number].stream) for _, number in points]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 8 * sizes[-1]
