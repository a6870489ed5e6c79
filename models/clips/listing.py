"""Class folders and the video files in them, listed without opening any file."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fadeline.models.errors import ClipError

# fmt: off
VIDEO_SUFFIXES = (
    ".3g2", ".3gp", ".asf", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4",
    ".mpeg", ".mpg", ".mts", ".mxf", ".ogg", ".ogv", ".ts", ".vob", ".webm", ".wmv",
)
# fmt: on
"""Ends of the names of files taken for videos: containers that FFmpeg both reads and finds moving
pictures in (`ffmpeg -formats`), without its formats of sound and of single pictures."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Class folders and their clips.

    Attributes:
        path: The folder that holds the class folders.
        clips: Names of the video files of each class; classes and files in order of their names.
    """

    path: Path
    clips: Mapping[str, tuple[str, ...]]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(self.clips)

    def require_clips(self) -> None:
        """Check that there is a class and that every class has a clip.

        Raises:
            ClipError: If not.
        """
        if not self.clips:
            raise ClipError(
                f"{self.path}: has no class folders; it needs a folder for each class, with the "
                "videos of that class in it"
            )
        for name, files in self.clips.items():
            if not files:
                raise ClipError(
                    f"{self.path / name}: the class folder has no video file; put clips "
                    f"({', '.join(VIDEO_SUFFIXES)}) directly into it, or remove it"
                )

    def file_of(self, class_name: str, clip: str) -> str | None:
        """Return the file of a clip that a split file names, with or without its extension.

        A clip that was re-encoded, and so has another extension than the one named, is found too.

        Raises:
            ClipError: If several files fit.
        """
        files = self.clips.get(class_name, ())
        if clip in files:
            return clip
        stems = {clip}
        if Path(clip).suffix.lower() in VIDEO_SUFFIXES:
            stems.add(Path(clip).stem)
        fitting = [file for file in files if Path(file).stem in stems]
        if len(fitting) > 1:
            raise ClipError(
                f"{self.path / class_name}: {clip} may be any of {', '.join(fitting)}; name the "
                "file with its extension"
            )
        return fitting[0] if fitting else None

    def near(self, class_name: str, clip: str) -> str:
        """Return "; nearest: A, B" for the clips, or else the classes, named most alike."""
        if class_name not in self.clips:
            return f"; {_nearest('the nearest class folder is', class_name, self.clips, 1)}"
        return f"; {_nearest('nearest:', clip, self.clips[class_name], 3)}"


def list_clips(path: Path, *, leave_out: Collection[Path] = ()) -> Listing:
    """List the class folders of a folder and the videos in them.

    Hidden files and folders, and files that are no videos by their name, are passed over. A class
    without a video is listed with none.

    Args:
        path: The folder.
        leave_out: Folders in it that are no classes.

    Raises:
        ClipError: If the folder is missing or cannot be read.
    """
    if not path.is_dir():
        what = "is a file, not a folder of videos" if path.is_file() else "no such folder"
        raise ClipError(f"{path}: {what}")
    other = {folder.resolve() for folder in leave_out}
    try:
        folders = [
            entry
            for entry in sorted(path.iterdir())
            if entry.is_dir() and entry.name[0] != "." and entry.resolve() not in other
        ]
        clips = {folder.name: _videos(folder) for folder in folders}
    except OSError as error:
        raise ClipError(f"{error.filename}: cannot be read: {error.strerror}") from None
    return Listing(path, clips)


def _videos(folder: Path) -> tuple[str, ...]:
    return tuple(
        sorted(
            entry.name
            for entry in folder.iterdir()
            if entry.suffix.lower() in VIDEO_SUFFIXES
            and entry.name[0] != "."
            and not entry.is_dir()
        )
    )


def _nearest(intro: str, given: str, allowed: Iterable[str], most: int) -> str:
    close = difflib.get_close_matches(given, list(allowed), n=most, cutoff=0.5)
    return f"{intro} {', '.join(close)}" if close else "nothing there is named alike"
