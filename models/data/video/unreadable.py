"""Which videos cannot be decoded: all of them found in one pass, which is remembered."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from fadeline.models.data.cache.cache import cache_folder
from fadeline.models.data.video.frame_folder import check_frame_folder
from fadeline.models.data.video.sampling import Sampling
from fadeline.models.data.video.video import read_clip
from fadeline.models.errors import ClipError
from fadeline.models.files import complete_or_absent
from fadeline.models.hardware.machine import usable_cores


def unreadable_videos(
    paths: Sequence[Path], sampling: Sampling, size: int, *, version: str
) -> dict[Path, str]:
    """Return the videos that cannot be decoded, and for each the message that says why.

    Decoding thousands of videos takes minutes, so what is found is kept with the caches.

    Args:
        paths: Videos, and folders of frames, of which every picture is tried.
        sampling: Which frames make a clip.
        size: Height and width of a clip, pixels.
        version: Changes with the videos and the way they are decoded.
    """
    memo = cache_folder() / "unreadable" / f"{version}.json"
    names = {f"{path.parent.name}/{path.name}": path for path in paths}
    # Without a usable memo the videos are decoded again, which is right, if slow.
    with suppress(OSError, ValueError, AttributeError, KeyError):
        reasons = json.loads(memo.read_text(encoding="utf-8"))
        return {names[name]: f"{names[name]}: {reason}" for name, reason in reasons.items()}

    def reason(path: Path) -> str | None:
        try:
            if path.is_dir():
                check_frame_folder(path)
            else:
                read_clip(path, sampling, size=size)
        except ClipError as error:
            return str(error).removeprefix(f"{path}: ")
        return None

    with ThreadPoolExecutor(usable_cores()) as pool:  # FFmpeg works without Python's lock
        found = dict(zip(names, pool.map(reason, names.values()), strict=True))
    reasons = {name: text for name, text in found.items() if text is not None}
    with suppress(OSError):
        memo.parent.mkdir(parents=True, exist_ok=True)
        with complete_or_absent(memo) as partial:
            partial.write_text(json.dumps(reasons, indent=1) + "\n", encoding="utf-8")
    return {names[name]: f"{names[name]}: {text}" for name, text in reasons.items()}
