"""Class folders and the clips in them, listed without opening any file."""

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fadeline.models.data.video.archives import ARCHIVE_SUFFIXES, require_unpacked, unpack_hint
from fadeline.models.data.video.frame_series import PICTURE_SUFFIXES, is_frame_folder, is_picture
from fadeline.models.errors import ClipError

# fmt: off
VIDEO_SUFFIXES = (
    ".264", ".265", ".3g2", ".3gp", ".asf", ".avc", ".avi", ".divx", ".dv", ".f4v", ".flv", ".gif",
    ".h261", ".h263", ".h264", ".h265", ".hevc", ".ivf", ".m1v", ".m2p", ".m2t", ".m2ts", ".m2v",
    ".m4v", ".mjpeg", ".mjpg", ".mk3d", ".mkv", ".mod", ".mov", ".mp4", ".mp4v", ".mpe", ".mpeg",
    ".mpg", ".mpv", ".mts", ".mxf", ".nut", ".obu", ".ogg", ".ogv", ".qt", ".rm", ".rmvb", ".tod",
    ".trp", ".ts", ".vob", ".webm", ".wmv", ".wtv", ".xvid", ".y4m",
)
"""Ends of the names of files taken for videos: containers and elementary streams that FFmpeg both
reads and finds moving pictures in (`ffmpeg -formats`), without its formats of sound and of single
pictures, and without those that need to be told size and format (.yuv)."""

OTHER_MEDIA_SUFFIXES = (
    ".266", ".7z", ".amv", ".apng", ".avif", ".bmp", ".braw", ".dav", ".gxf", ".h266", ".heic",
    ".insv", ".jp2", ".jpeg", ".jpg", ".lrv", ".npy", ".npz", ".png", ".r3d", ".rar", ".swf",
    ".tar", ".tif", ".tiff", ".vc1", ".webp", ".yuv", ".zip",
)
"""Ends of the names of files that are no clips here but may have been meant as such: pictures,
archives and formats of cameras (our choice). They are left out, and that is said."""
# fmt: on


@dataclass(frozen=True, slots=True)
class Listing:
    """Class folders and their clips.

    Attributes:
        path: The folder that holds the class folders.
        clips: Names of the clips of each class: of its video files, or if it has none, of its
            folders of numbered pictures. Classes and clips in order of their names.
        left_out: What looks like media and is no clip, in order: other files in class folders, such
            as ``class/frame.jpg``; folders of pictures beside videos, ``class/frames/``; archives
            beside class folders of other names, ``hug.rar``.
    """

    path: Path
    clips: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...] = ()

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
                    f"{self._hint(name)}"
                )

    def _hint(self, class_name: str) -> str:
        """Say what else may be meant by a class folder that has no clips."""
        if any(is_picture(file.partition("/")[2]) for file in self.left_out_of(class_name)):
            return (
                "; it holds pictures: the frames of a clip belong in a folder of their own, as "
                f"{class_name}/CLIP/img_00001.jpg"
            )
        return unpack_hint(self.path / class_name) or (
            "; a clip may also be a folder in it, of numbered pictures "
            f"({', '.join(PICTURE_SUFFIXES)})"
        )

    def left_out_of(self, class_name: str) -> list[str]:
        """Return what is left out of one class folder, as in `left_out`."""
        return [file for file in self.left_out if file.startswith(f"{class_name}/")]

    def file_of(self, class_name: str, clip: str) -> str | None:
        """Return the file of a clip that a split file names, with or without its extension.

        A clip that was re-encoded or taken apart, and so has another extension than the one named,
        or none, is found too.

        Raises:
            ClipError: If several files fit.
        """
        files = self.clips.get(class_name, ())
        if clip in files:
            return clip
        stems = {clip, _stem(clip)}
        fitting = [file for file in files if _stem(file) in stems]
        if not fitting:  # UCF101 has HandStandPushups and HandstandPushups
            stem = _stem(clip).casefold()
            fitting = [file for file in files if _stem(file).casefold() == stem]
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
    """List the class folders of a folder and the clips in them.

    Hidden files and folders, and what is no clip by its name, are passed over; of the latter what
    looks like media is listed apart. A class without a clip is listed with none.

    Args:
        path: The folder.
        leave_out: Folders in it that are no classes.

    Raises:
        ClipError: If the folder is missing, cannot be read, or holds archives and no class folder.
    """
    if not path.is_dir():
        what = "is a file, not a folder of videos" if path.is_file() else "no such folder"
        raise ClipError(f"{path}: {what}{unpack_hint(path)}")
    other = {folder.resolve() for folder in leave_out}
    try:
        folders = [
            entry
            for entry in sorted(path.iterdir())
            if entry.is_dir() and entry.name[0] != "." and entry.resolve() not in other
        ]
        if not folders:
            require_unpacked(path)
        found = {folder.name: _clips_and_others(folder) for folder in folders}
        packed = [name for name in _files(path) if _ends(name, ARCHIVE_SUFFIXES)]
    except OSError as error:
        raise ClipError(f"{error.filename}: cannot be read: {error.strerror}") from None
    others = [f"{name}/{other}" for name, (_, own) in found.items() for other in own]
    others += [name for name in packed if Path(name).stem not in found]
    return Listing(path, {name: clips for name, (clips, _) in found.items()}, tuple(others))


def left_out_text(files: Sequence[str]) -> str:
    """Say that files are left out, by kind; empty if there are none.

    Example:
        >>> left_out_text(["run/a.jpg", "run/b.JPG", "walk/c.zip"])
        'left out, since not among the videos that are read: 2 .jpg, 1 .zip (run/a.jpg, ...)'
    """
    if not files:
        return ""
    kinds = Counter(
        "folder of pictures" if file.endswith("/") else Path(file).suffix.lower() for file in files
    )
    counts = ", ".join(f"{count} {suffix}" for suffix, count in sorted(kinds.items()))
    more = ", ..." if len(files) > 1 else ""
    return f"left out, since not among the videos that are read: {counts} ({files[0]}{more})"


def _clips_and_others(folder: Path) -> tuple[tuple[str, ...], list[str]]:
    """Return the names of the clips in a class folder, and of what may have been meant as such."""
    files = _files(folder)
    videos = [name for name in files if _ends(name, VIDEO_SUFFIXES)]
    others = [name for name in files if _ends(name, OTHER_MEDIA_SUFFIXES)]
    inside = sorted(entry for entry in folder.iterdir() if entry.is_dir() and entry.name[0] != ".")
    frames = [entry.name for entry in inside if is_frame_folder(entry)]
    if not videos:
        return tuple(frames), others
    return tuple(videos), [*others, *(f"{name}/" for name in frames)]


def _stem(clip: str) -> str:
    """Return the name of a clip without the extension of a video, if it has one."""
    return Path(clip).stem if _ends(clip, VIDEO_SUFFIXES) else clip


def _files(folder: Path) -> list[str]:
    names = (entry.name for entry in folder.iterdir() if not entry.is_dir())
    return sorted(name for name in names if name[0] != ".")


def _ends(name: str, suffixes: tuple[str, ...]) -> bool:
    return Path(name).suffix.lower() in suffixes


def _nearest(intro: str, given: str, allowed: Iterable[str], most: int) -> str:
    close = difflib.get_close_matches(given, list(allowed), n=most, cutoff=0.5)
    return f"{intro} {', '.join(close)}" if close else "nothing there is named alike"
