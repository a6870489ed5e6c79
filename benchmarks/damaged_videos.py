"""How often damage inside a video is noticed, container by container.

Small films are written, copies of them damaged at random places, and all that then decode to other
pictures, or fewer, are counted: how many of them does the reader refuse?

Usage: python benchmarks/damaged_videos.py [copies]
"""

import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from av.error import FFmpegError

from fadeline.models.data.video.sampling import Sampling
from fadeline.models.data.video.video import read_clip
from fadeline.models.errors import ClipError

FILMS = {
    "MP4, H.264": (".mp4", "libx264", "yuv420p"),
    "MP4, HEVC": (".mp4", "libx265", "yuv420p"),
    "MP4, AV1": (".mp4", "libsvtav1", "yuv420p"),
    "MP4, MPEG-4": (".mp4", "mpeg4", "yuv420p"),
    "MOV, ProRes": (".mov", "prores_ks", "yuv422p10le"),
    "MKV, H.264": (".mkv", "libx264", "yuv420p"),
    "MKV, FFV1": (".mkv", "ffv1", "yuv420p"),
    "WebM, VP8": (".webm", "libvpx", "yuv420p"),
    "WebM, VP9": (".webm", "libvpx-vp9", "yuv420p"),
    "AVI, MPEG-4": (".avi", "mpeg4", "yuv420p"),
    "AVI, Motion JPEG": (".avi", "mjpeg", "yuvj420p"),
    "MPEG, MPEG-2": (".mpg", "mpeg2video", "yuv420p"),
    "TS, H.264": (".ts", "libx264", "yuv420p"),
    "TS, MPEG-2": (".ts", "mpeg2video", "yuv420p"),
    "FLV, H.264": (".flv", "libx264", "yuv420p"),
    "WMV": (".wmv", "wmv2", "yuv420p"),
    "MXF, MPEG-2": (".mxf", "mpeg2video", "yuv420p"),
    "GIF": (".gif", "gif", "gray"),
    "raw H.264": (".h264", "libx264", "yuv420p"),
    "raw HEVC": (".hevc", "libx265", "yuv420p"),
    "raw Motion JPEG": (".mjpeg", "mjpeg", "yuvj420p"),
    "raw MPEG-2": (".m2v", "mpeg2video", "yuv420p"),
    "IVF, VP8": (".ivf", "libvpx", "yuv420p"),
    "raw AV1": (".obu", "libsvtav1", "yuv420p"),
    "Y4M": (".y4m", "rawvideo", "yuv420p"),
}
KINDS = ("one bit", "64 bytes of noise", "512 zeros", "200 bytes missing", "end missing")


def main() -> None:
    copies = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print("| |", " | ".join((*KINDS, "all")), "|")
    print("|" + "---|" * (len(KINDS) + 2))
    with tempfile.TemporaryDirectory() as folder:
        for name, (suffix, codec, pixel_format) in FILMS.items():
            path = Path(folder, f"film{suffix}")
            write(path, codec, pixel_format)
            noticed = shares(path, copies, np.random.default_rng(1))
            print(f"| {name} |", " | ".join(noticed), "|", flush=True)


def write(path: Path, codec: str, pixel_format: str) -> None:
    """Write 48 frames of a textured world that moves, with B frames and several groups."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (32, 36, 3)).astype(np.uint8)
    world = cv2.resize(coarse, (288, 256), interpolation=cv2.INTER_CUBIC)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 96, pixel_format
        stream.codec_context.gop_size = 12
        if codec not in ("ffv1", "gif", "prores_ks", "rawvideo"):
            stream.bit_rate = 400_000
        if codec == "libx265":
            stream.options = {"x265-params": "log-level=none"}
        for t in range(48):
            y, x = int(20 + 15 * np.sin(t / 5)), 2 * t
            noise = rng.integers(-6, 7, (96, 128, 3))
            picture = np.clip(world[y : y + 96, x : x + 128] + noise, 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def shares(path: Path, copies: int, rng: np.random.Generator) -> list[str]:
    """Return noticed over changed for each kind of damage, and for all together."""
    whole, before = path.read_bytes(), pictures(path)
    counts = np.zeros((len(KINDS), 2), int)
    for _ in range(copies):
        for kind, content in enumerate(damaged(whole, rng)):
            other = path.with_stem("damaged")
            other.write_bytes(content)
            if pictures(other) != before:
                counts[kind] += refused(other), 1
    every = (*counts, counts.sum(axis=0))
    return [f"{100 * seen / max(changed, 1):.0f} %" for seen, changed in every]


def damaged(whole: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    """Yield a copy with each kind of damage, anywhere but in the first and last 5 %."""
    places = rng.integers(len(whole) // 20, len(whole) - len(whole) // 20, len(KINDS)).tolist()
    bit = bytes([whole[places[0]] ^ 1 << int(rng.integers(8))])
    yield whole[: places[0]] + bit + whole[places[0] + 1 :]
    yield whole[: places[1]] + rng.bytes(64) + whole[places[1] + 64 :]
    yield whole[: places[2]] + bytes(512) + whole[places[2] + 512 :]
    yield whole[: places[3]] + whole[places[3] + 200 :]
    yield whole[: places[4]]


def pictures(path: Path) -> list[str]:
    """Return hashes of what FFmpeg shows of a file when it is not asked whether it is whole."""
    shown = []
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                shown.append(hashlib.md5(frame.to_ndarray(format="rgb24").tobytes()).hexdigest())
    except (FFmpegError, IndexError):
        shown.append("refused")
    return shown


def refused(path: Path) -> bool:
    try:
        read_clip(path, Sampling(frames=1), size=1)
    except ClipError:
        return True
    return False


if __name__ == "__main__":
    main()
