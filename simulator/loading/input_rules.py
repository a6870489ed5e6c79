"""Rules on the files of clips and weights that a scenario names: are they there, and of the kind?

Nothing large is opened: folders of videos are listed, and weights read, when they are used.
"""

from collections.abc import Iterator
from pathlib import Path as FilePath

from fadeline.models.card import classifier_path, read_card, weights_path
from fadeline.models.codecs.catalogue import codec_entries, codec_entry
from fadeline.models.data.video.folder_name import folder_of
from fadeline.models.errors import ModelsError
from fadeline.simulator.documents.document import is_file
from fadeline.simulator.errors import Fault, Path, Unused
from fadeline.simulator.scenario.scenario import DEFAULT_CLASSIFIER, Clips, Scenario
from fadeline.simulator.scenario.scheme import CodecScheme


def input_faults(scenario: Scenario) -> Iterator[Fault]:
    """Yield path and message of each file that is missing or of another kind."""
    yield from _clips(scenario.clips)
    if scenario.clips.classifier != DEFAULT_CLASSIFIER:  # which came with the package
        yield from _weights(("clips", "classifier"), scenario.clips.classifier, "VideoViT")
    for index, scheme in enumerate(scenario.schemes):
        if isinstance(scheme, CodecScheme) and scheme.weights is not None:
            yield from _codec(("schemes", index, "weights"), scheme.codec, scheme.weights)


def _clips(clips: Clips) -> Iterator[Fault]:
    try:
        folder = folder_of(clips.data)
    except ModelsError as error:
        yield ("clips", "data"), str(error)
        return
    if folder is None:
        for key in ("splits", "draw", "sampling", "skip_unreadable"):
            if getattr(clips, key) != Clips.model_fields[key].default:
                words = f"is for videos; {clips.data} has none, so leave it out"
                yield ("clips", key), Unused(words)
        return
    if not _exists(folder):
        yield ("clips", "data"), f"no such folder: {folder}"
    elif not folder.is_dir():
        yield ("clips", "data"), f"is a file, not a folder of videos: {folder}"
    if clips.splits is not None and not _exists(FilePath(clips.splits)):
        yield ("clips", "splits"), f"no such file or folder: {clips.splits}"


def _codec(at: Path, codec: str, weights: str) -> Iterator[Fault]:
    path, entry = FilePath(weights), codec_entry(codec)
    if entry is not None and not entry.shape:
        yield at, f"{codec} has no weights; leave it out"
        return
    if path.suffix != ".safetensors":
        yield at, f"must be a file that ends in .safetensors, got {weights}"
        return
    faults = [*_weights(at, weights, "StoredCodec")]
    yield from faults
    if faults:
        return
    beside = classifier_path(path)
    if not is_file(beside):
        yield at, f"its classifier is missing: {beside} must lie beside it"
    shape = read_card(path).config.get("shape")
    entries = codec_entries()
    if shape != entries[codec].shape:
        kinds = [name for name, entry in entries.items() if shape and entry.shape == shape]
        yield at, f"holds {' or '.join(kinds) or 'another codec'}, not {codec}: {weights}"


def _weights(at: Path, name_or_path: str, architecture: str) -> Iterator[Fault]:
    try:
        path = weights_path(name_or_path)
        if not is_file(path):
            yield at, f"no such weights file: {path}"
            return
        found = read_card(path).architecture
    except ModelsError as error:
        yield at, str(error)
        return
    if found != architecture:
        yield at, f"holds a {found}, not a {architecture}: {path}"


def _exists(path: FilePath) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have
        return False
