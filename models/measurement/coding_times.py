"""How long codecs take to encode and to decode, on one core."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fadeline.models.codecs.protocol import Clip, Codec, Networks
from fadeline.models.data.clipset import ClipSet
from fadeline.models.hardware.latency import Effort, time_call, torch_threads

TIMED = Effort(warmup_s=0.1, measure_s=0.4)
"""How long one operating point is timed (our choice)."""


def time_coder(
    codec: Codec, clips: ClipSet, *, effort: Effort = TIMED
) -> tuple[list[float], list[float]]:
    """Return median seconds to encode and to decode at each operating point, on one core.

    Different clips in turn, one at a time, from pixels to bytes and from bytes to pixels.
    """
    return _timed(codec, clips, codec.encode, codec.decode, effort)


def time_coding(
    codec: Codec, networks: Networks, clips: ClipSet, *, effort: Effort = TIMED
) -> tuple[list[float], list[float]]:
    """Return likewise what `time_coder` does without the networks: selection and entropy coding."""
    return _timed(codec, clips, networks.code, networks.read, effort, given=networks.analyse)


def _timed(
    codec: Codec,
    clips: ClipSet,
    encode: Callable[[Any, int], object],
    decode: Callable[[bytes], object],
    effort: Effort,
    *,
    given: Callable[[Clip], Any] = np.asarray,
) -> tuple[list[float], list[float]]:
    """Return median seconds of two calls at each operating point; `given` makes what is encoded."""
    some = [np.array(clips.clip(i)) for i in range(0, len(clips), max(len(clips) // 16, 1))]
    encode_s, decode_s = [], []
    with torch_threads(1):
        items = [given(clip) for clip in some]
        for point in range(len(codec.points)):
            streams = [codec.encode(clip, point).stream for clip in some]
            encode_s.append(time_call(_in_turn(encode, items, point), effort).median_s)
            decode_s.append(time_call(_in_turn(decode, streams), effort).median_s)
    return encode_s, decode_s


def _in_turn(call: Callable[..., object], items: Sequence[Any], *more: Any) -> Callable[[], object]:
    def forever() -> Iterator[Any]:
        while True:
            yield from items

    source = forever()
    return lambda: call(next(source), *more)
