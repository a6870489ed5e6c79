"""Which frames of a video make a clip.

- uniform: the video is cut into T segments of equal duration and one frame is taken from each (Wang
  et al., "Temporal Segment Networks", ECCV 2016, section 3.1). Shows all of it, however long.
- dense: T frames with a fixed stride between them. Shows motion at the camera's own rate, so where
  that varies the clip does too: frames are counted, not timed.

Without `rng` the choice is fixed, as tests need it; with `rng` it is drawn, as training wants it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.video.timeline import Timeline

Indices = NDArray[np.int64]

KINDS = ("uniform", "dense")
"""Names of the ways to choose frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a clip is taken from a video.

    Attributes:
        kind: One of `KINDS`.
        frames: Frames of a clip, T, at least 1.
        stride: Frames from one taken frame to the next, at least 1; used by dense alone.
    """

    kind: str = "uniform"
    frames: int = 16
    stride: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {self.kind!r}")
        _require_positive("frames", self.frames)
        _require_positive("stride", self.stride)

    def choose(self, times: Timeline, rng: np.random.Generator | None = None) -> Indices:
        """Return the frames that make a clip of a video, by when they are shown.

        At a constant rate these are `indices`.

        Args:
            times: When each frame of the video is shown.
            rng: Draws the choice; None for the fixed one.

        Returns:
            Positions in the video, ascending, shape (T,).
        """
        if self.kind == "uniform" and not times.is_constant:
            return uniform_in_time(times, self.frames, rng=rng)
        return self.indices(len(times), rng)

    def indices(self, total: int, rng: np.random.Generator | None = None) -> Indices:
        """Return the frames that make a clip of a video of constant rate.

        Args:
            total: Frames of the video, at least 1.
            rng: Draws the choice; None for the fixed one.

        Returns:
            Positions in the video, ascending, shape (T,).
        """
        if self.kind == "uniform":
            return uniform(total, self.frames, rng=rng)
        return dense(total, self.frames, stride=self.stride, rng=rng)


def uniform(total: int, frames: int, *, rng: np.random.Generator | None = None) -> Indices:
    """Return one frame from each of T equal segments of a video of constant rate.

    The segments divide the video's duration, so their borders may lie within a frame. In a video of
    fewer than T frames several segments share a frame, which is then repeated.

    Args:
        total: Frames of the video, at least 1.
        frames: Segments, T, at least 1.
        rng: Draws a moment within each segment; None takes the frame at the centre of each.

    Returns:
        Positions in the video, ascending, shape (T,).

    Raises:
        ValueError: If a count is below 1.

    Example:
        >>> uniform(8, 4).tolist()
        [1, 3, 5, 7]
        >>> uniform(2, 4).tolist()
        [0, 0, 1, 1]
    """
    _require_positive("total", total)
    _require_positive("frames", frames)
    segments = np.arange(frames, dtype=np.int64)
    if rng is None:
        return (2 * segments + 1) * total // (2 * frames)
    moments = (segments + rng.random(frames)) * (total / frames)
    return np.minimum(moments.astype(np.int64), total - 1)


def uniform_in_time(
    times: Timeline, frames: int, *, rng: np.random.Generator | None = None
) -> Indices:
    """Return the frames shown at one moment of each of T equal segments of a video's duration.

    A frame that is held for several segments is repeated.

    Args:
        times: When each frame of the video is shown.
        frames: Segments, T, at least 1.
        rng: Draws a moment within each segment; None takes its centre.

    Returns:
        Positions in the video, ascending, shape (T,).

    Raises:
        ValueError: If the count is below 1.

    Example:
        >>> starts = np.array([0.0, 1.0, 2.0, 3.0])  # and the last one is held until 8
        >>> uniform_in_time(Timeline(starts, 8.0), 4).tolist()
        [1, 3, 3, 3]
    """
    _require_positive("frames", frames)
    within = 0.5 if rng is None else rng.random(frames)
    return times.shown_at((np.arange(frames) + within) / frames)


def dense(
    total: int, frames: int, *, stride: int = 1, rng: np.random.Generator | None = None
) -> Indices:
    """Return T frames at a fixed stride.

    In a video too short for that, the clip starts at the first frame and the last one is held.
    Frames are counted, whatever the time between them: in a video of variable rate the clip runs
    faster where frames were held for longer, and the middle is that of the count.

    Args:
        total: Frames of the video, at least 1.
        frames: Frames to take, T, at least 1.
        stride: Frames from one to the next, at least 1.
        rng: Draws the start among all possible ones; None takes the clip from the middle.

    Returns:
        Positions in the video, ascending, shape (T,).

    Raises:
        ValueError: If a count is below 1.

    Example:
        >>> dense(10, 4).tolist()
        [3, 4, 5, 6]
        >>> dense(3, 4).tolist()
        [0, 1, 2, 2]
    """
    _require_positive("total", total)
    _require_positive("frames", frames)
    _require_positive("stride", stride)
    spare = max(total - ((frames - 1) * stride + 1), 0)
    start = spare // 2 if rng is None else int(rng.integers(spare + 1))
    return np.minimum(start + stride * np.arange(frames, dtype=np.int64), total - 1)


def _require_positive(name: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
