"""One clip to bytes and back, by the name of a codec."""

from fadeline.models.codecs.loading import load_codec
from fadeline.models.codecs.operating_point import nearest_point
from fadeline.models.codecs.protocol import Clip, Codec


def encode(
    clip: Clip,
    codec: str | Codec = "stae",
    *,
    ratio: float | None = None,
    point: int | None = None,
) -> bytes:
    """Return a clip as bytes.

    Args:
        clip: 8-bit RGB, shape (T, H, W, 3); the shipped codecs take 16 frames of 64 x 64.
        codec: Name or weights, as `load_codec` takes them, which are read each time; for many
            clips, a codec that is loaded.
        ratio: Compression ratio; the operating point of one packet nearest in it is taken.
        point: Number of the operating point, instead of a ratio.

    Raises:
        ValueError: If neither or both of ratio and point are given, or there is no such point.
        ClipError: If the clip is of a shape or type that the codec does not take.
        WeightsError: If there are no such weights.

    Example:
        >>> from fadeline.models.data.opening import open_clips
        >>> clip = open_clips("actions/test").clip(0)
        >>> stream = encode(clip, "stae", ratio=104)
        >>> clip.size, len(stream) < clip.size / 50, decode(stream, "stae").shape
        (196608, True, (16, 64, 64, 3))
    """
    if (ratio is None) == (point is None):
        raise ValueError("give either a ratio, such as ratio=104, or the number of a point")
    used = _used(codec)
    if point is None:
        assert ratio is not None
        point = nearest_point(used.points, ratio)
    return used.encode(clip, point).stream


def decode(stream: bytes, codec: str | Codec = "stae") -> Clip:
    """Return the clip restored from bytes: 8-bit RGB, shape (T, H, W, 3).

    Args:
        stream: From `encode` of the same codec, or its beginning up to where a packet ends.
        codec: As for `encode`.

    Raises:
        BitstreamError: If the bytes are damaged or of something else.
        WeightsError: If there are no such weights.
    """
    return _used(codec).decode(stream)


def _used(codec: str | Codec) -> Codec:
    # Read anew each time: under the same name there may be other weights than a moment ago.
    return load_codec(codec) if isinstance(codec, str) else codec
