"""Clips as commands open them: from a cache, with what there is to say of them."""

from pathlib import Path
from typing import TYPE_CHECKING

from fadeline.simulator.cli.console import bar, errors, say

if TYPE_CHECKING:
    from fadeline.models.data.cache.cache import CachedClips


def cached_clips(
    name: str,
    *,
    frames: int,
    size: int,
    splits: Path | None,
    draw: int,
    skip_unreadable: bool,
    silent: bool,
) -> "CachedClips":
    """Return clips from a cache, which is filled if need be."""
    from fadeline.models.data.cache.cache import cached
    from fadeline.models.data.opening import clip_notes, open_clips
    from fadeline.models.hardware.machine import usable_cores

    clips = open_clips(
        name, frames=frames, size=size, splits=splits, draw=draw, skip_unreadable=skip_unreadable
    )
    say(clip_notes(clips), quiet=silent)
    with bar(f"caching {name}", quiet=silent) as progress:
        return cached(
            clips,
            workers=usable_cores(),
            progress=progress,
            log=None if silent else lambda text: errors().print(text, markup=False),
        )
