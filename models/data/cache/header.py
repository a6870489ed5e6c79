"""What a cache says of itself: the JSON file next to its pixels."""

import json
import math
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.digest import blocks_of, whole_digest

FORMAT = 1
"""Version of the files; raised whenever an older one would be read wrongly."""


class HeaderError(Exception):
    """A header cannot be used; the text continues "the cache ..."."""


@dataclass(frozen=True)
class CacheHeader:
    """Everything about cached clips but their pixels.

    Attributes:
        name: The data set as the user writes it.
        version: What its pixels and labels were made by.
        classes: Names of the classes.
        labels: Label of each clip, length N.
        shape: Frames, height and width.
        blocks: SHA-256 of each block of clips, in hexadecimal.
        skipped: Why videos were left out, a message each.
    """

    name: str
    version: str
    classes: tuple[str, ...]
    labels: tuple[int, ...]
    shape: tuple[int, int, int]
    blocks: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    @classmethod
    def of(cls, clips: ClipSet, blocks: list[str]) -> "CacheHeader":
        """Return the header of a data set whose blocks have these digests."""
        return cls(
            name=clips.name,
            version=clips.version,
            classes=tuple(clips.classes),
            labels=tuple(clips.labels.tolist()),
            shape=clips.shape,
            blocks=tuple(blocks),
            skipped=tuple(getattr(clips, "skipped", ())),
        )

    @property
    def size_bytes(self) -> int:
        """Size of the file of pixels."""
        return clip_bytes(self.shape) * len(self.labels)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over shape, classes, labels and block digests."""
        return whole_digest(self.shape, self.classes, self.labels, self.blocks)

    def describes(self, clips: ClipSet) -> bool:
        """Return whether this is the header of a data set: all but its pixels is the same."""
        mine = replace(self, skipped=())
        return mine == replace(CacheHeader.of(clips, list(self.blocks)), skipped=())

    def to_json(self) -> str:
        """Return the content of the JSON file."""
        content = {"format": FORMAT, **asdict(self), "digest": self.digest}
        return json.dumps(content, indent=1) + "\n"


def clip_bytes(shape: tuple[int, int, int]) -> int:
    """Return the size of one clip of 8-bit RGB.

    Example:
        >>> clip_bytes((16, 64, 64))
        196608
    """
    return math.prod(shape) * 3


def read_header(path: Path) -> CacheHeader:
    """Read a header and check that it is whole.

    Raises:
        FileNotFoundError: If there is none.
        HeaderError: If it cannot be read, is of another format or does not fit its own digest.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found_format = content["format"]
    except FileNotFoundError:
        raise
    except OSError as error:
        raise HeaderError(f"cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, KeyError) as error:
        raise HeaderError("has a damaged header") from error
    if found_format != FORMAT:
        raise HeaderError(f"is of format {found_format}, and this version reads {FORMAT}")
    return _parse(content)


def _parse(content: dict[str, Any]) -> CacheHeader:
    try:
        frames, height, width = map(int, content["shape"])
        header = CacheHeader(
            name=content["name"],
            version=content["version"],
            classes=tuple(content["classes"]),
            labels=tuple(content["labels"]),
            shape=(frames, height, width),
            blocks=tuple(content["blocks"]),
            skipped=tuple(content.get("skipped", ())),
        )
        is_whole = header.digest == content["digest"]
    except (ValueError, TypeError, KeyError) as error:
        raise HeaderError("has a damaged header") from error
    if not is_whole or len(header.blocks) != len(blocks_of(len(header.labels))):
        raise HeaderError("has a damaged header")
    return header
