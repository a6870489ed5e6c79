"""What `fadeline data list` shows: data sets by name, and caches of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fadeline.models.data.cache.build import size_text
from fadeline.models.data.cache.cache import cache_path, list_cached
from fadeline.models.data.cache.header import CacheHeader
from fadeline.models.data.opening import NAMES, open_clips


@dataclass(frozen=True, slots=True)
class DataRow:
    """One data set, or one cache of another set, shape or version.

    Attributes:
        name: As the user writes it; capitals stand for what is filled in.
        what: What it is.
        clips: Number of clips; None where that depends on what is filled in.
        classes: Number of classes; None likewise.
        shape: Frames, height and width; None likewise.
        cache: File of its cached pixels; None if it is not cached.
        size_bytes: Size of that file; 0 if there is none.
    """

    name: str
    what: str
    clips: int | None = None
    classes: int | None = None
    shape: tuple[int, int, int] | None = None
    cache: Path | None = None
    size_bytes: int = 0

    def as_row(self) -> dict[str, Any]:
        """Return the row for programs."""
        return {
            "name": self.name,
            "what": self.what,
            "clips": self.clips,
            "classes": self.classes,
            "shape": self.shape,
            "cached": self.cache is not None,
            "where": str(self.cache) if self.cache else None,
            "size_bytes": self.size_bytes,
        }

    def as_text(self) -> tuple[str, ...]:
        """Return the row for people, as `COLUMNS`."""
        return (
            self.name,
            self.what,
            "" if self.clips is None else f"{self.clips}",
            "" if self.classes is None else f"{self.classes}",
            "" if self.shape is None else "x".join(map(str, self.shape)),
            size_text(self.size_bytes) if self.cache else "no" if self.clips else "",
            str(self.cache) if self.cache else "",
        )


COLUMNS = ("name", "what", "clips", "classes", "shape", "cached", "where")


def data_rows(folder: Path | None = None) -> list[DataRow]:
    """Return the sets that can be opened by name, then caches of anything else.

    Args:
        folder: Where caches are [`cache_folder`].
    """
    caches = dict(list_cached(folder))
    rows = [_named_row(name, what, caches, folder) for name, what in NAMES.items()]
    shown = {row.cache for row in rows}
    current = {(row.name, row.shape) for row in rows}
    return rows + [
        _cache_row(path, header, outdated=(header.name, header.shape) in current)
        for path, header in caches.items()
        if path not in shown
    ]


def _named_row(
    name: str, what: str, caches: dict[Path, CacheHeader], folder: Path | None
) -> DataRow:
    if name.endswith("SEED") or "PATH" in name:
        return DataRow(name, what)
    clips = open_clips(name)
    path = cache_path(clips, folder=folder)
    return DataRow(
        name,
        what,
        clips=len(clips),
        classes=len(clips.classes),
        shape=clips.shape,
        cache=path if path in caches else None,
        size_bytes=caches[path].size_bytes if path in caches else 0,
    )


def _cache_row(path: Path, header: CacheHeader, *, outdated: bool) -> DataRow:
    return DataRow(
        header.name,
        f"version {header.version}" + ("; no longer used" if outdated else ""),
        clips=len(header.labels),
        classes=len(header.classes),
        shape=header.shape,
        cache=path,
        size_bytes=header.size_bytes,
    )
