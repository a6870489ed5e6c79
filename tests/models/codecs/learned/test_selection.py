"""What is kept of a clip, and in how many packets."""

import pytest
import torch

from fadeline.models.codecs.learned.deepisc import evenly, latest
from fadeline.models.codecs.learned.selection import highest, kept_positions, parts
from fadeline.models.codecs.operating_point import OperatingPoint


def test_frames_are_kept_evenly_and_repeated():
    kept = highest(evenly(16)[None], torch.tensor([4]))
    assert kept[0].nonzero().flatten().tolist() == [0, 4, 8, 12]
    assert latest(kept[..., None, None]).tolist() == [[0] * 4 + [4] * 4 + [8] * 4 + [12] * 4]


def test_positions_are_kept_by_score_within_the_best_frames():
    frame_scores = torch.tensor([[0.0, 2.0, 1.0]])
    position_scores = torch.tensor([[[[9.0, 9.0]], [[1.0, 0.0]], [[5.0, 6.0]]]])
    kept = kept_positions(frame_scores, position_scores, torch.tensor([2]), torch.tensor([3]))
    # Frame 1 keeps its best although both of frame 2 score higher.
    assert kept.tolist() == [[[[False, False]], [[True, False]], [[True, True]]]]


def test_parts_keep_lines_or_frames_together(one_thread):
    rng = torch.Generator().manual_seed(1)
    kept = torch.rand(2, 8, 4, 4, generator=rng) < 0.5
    scores = torch.randn(2, 8, 4, 4, generator=rng)
    count = torch.tensor([3, 4])
    for lines, axes in ((True, (1,)), (False, (2, 3))):
        part = parts(kept, scores, count, lines=lines)
        assert (part == part.amax(dim=axes, keepdim=True)).all()
        best = scores.masked_fill(~kept, -torch.inf).flatten(1).argmax(dim=1)
        assert part.flatten(1).gather(1, best[:, None]).tolist() == [[0], [0]]
        for clip in range(2):
            share = [int((kept & (part == n))[clip].sum()) for n in range(count[clip])]
            assert max(share) - min(share) <= 16
            assert sum(share) == int(kept[clip].sum())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratio": 1}, "ratio must be above 1"),
        ({"frames": 0}, "frames must be at least 1"),
        ({"radius": 64}, "radius must be at most 63"),
        ({"positions": 7}, "at least one for each of 8 frames"),
        ({"packets": 33}, "packets 33 must be at most positions 32"),
    ],
)
def test_impossible_operating_points_are_refused(change, message):
    good = {"ratio": 20, "frames": 8, "positions": 32, "channels": 3, "radius": 7}
    with pytest.raises(ValueError, match=message):
        OperatingPoint(**good | change)
