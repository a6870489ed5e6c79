"""The one list of codecs: ours, then those of other installed packages; needs no torch.

Another package adds one with an entry point in the group `fadeline.codecs` that is a `CodecEntry`;
the entry point has the codec's name.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from fadeline.models.errors import PluginError
from fadeline.models.plugins import plugins

if TYPE_CHECKING:
    from fadeline.models.codecs.protocol import Codec

GROUP = "fadeline.codecs"
"""Of the entry points of other packages."""

NOT_CODECS = ("raw", "local", "table", "constant")
"""What scenarios name in the place of a codec; no package may take these names."""


@dataclass(frozen=True, slots=True)
class CodecEntry:
    """A codec as it is found by name.

    Attributes:
        name: As scenarios and commands have it, such as `stae`.
        summary: What it is, in one line.
        per_frame: Whether it handles each frame for itself, and so can send while a clip is still
            being captured.
        shape: What the card of its weights calls the shape of its networks, such as `StaeConfig`;
            empty for a codec without weights.
        load: `module:callable` that returns the codec (see `fadeline.models.codecs.protocol`) for
            the name or path of its weights; of a codec without weights, for its name. The module
            is imported when the codec is used.
    """

    name: str
    summary: str
    per_frame: bool
    shape: str
    load: str

    @property
    def shipped_weights(self) -> str:
        """Name of the weights of ours, as `weights_path` takes it; empty without weights."""
        return f"{self.name}-actions" if self.shape else ""

    def loaded(self, weights: str | None = None) -> "Codec":
        """Return the codec, ready for use.

        Args:
            weights: Name or path of its weights; the shipped ones if None.

        Raises:
            PluginError: If what `load` names is not there.
            WeightsError: If there are no such weights, or they cannot be trusted.
        """
        module, _, name = self.load.partition(":")
        try:
            load = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise PluginError(
                f"codec {self.name}: {self.load}: cannot be loaded: {error}; it must be written as "
                "module:callable, and its package be installed"
            ) from error
        codec: Codec = load(weights or self.shipped_weights or self.name)
        return codec


_LEARNED = "fadeline.models.codecs.stored_codec:load_codec"

CODECS = (
    CodecEntry(
        "stae", "spatiotemporal attention autoencoder (arXiv 2305.12796)",
        per_frame=False, shape="StaeConfig", load=_LEARNED,
    ),
    CodecEntry(
        "deepisc", "learned image codec, trained to restore frames",
        per_frame=True, shape="DeepIscConfig", load=_LEARNED,
    ),
    CodecEntry(
        "deepisc-task", "the same network, trained through the classifier",
        per_frame=True, shape="DeepIscConfig", load=_LEARNED,
    ),
)  # fmt: skip
"""Ours."""


def codec_entries() -> dict[str, CodecEntry]:
    """Return every codec by name, those of other packages last.

    Raises:
        PluginError: If another package's cannot be used.
    """
    ours = {entry.name: entry for entry in CODECS}
    return ours | plugins(GROUP, CodecEntry, taken=[*ours, *NOT_CODECS])


def codec_entry(name: str) -> CodecEntry | None:
    """Return the codec of a name; None if there is none.

    Raises:
        PluginError: If it is none of ours, and another package's cannot be used.

    Example:
        >>> codec_entry("stae").summary
        'spatiotemporal attention autoencoder (arXiv 2305.12796)'
        >>> codec_entry("raw") is None
        True
    """
    # Looking at what other packages have is slow; most codecs are ours.
    ours = {entry.name: entry for entry in CODECS}
    if name in ours or name in NOT_CODECS:
        return ours.get(name)
    return codec_entries().get(name)
