"""Codecs by name, whatever they are: ours, another package's, or a file of weights."""

from typing import TYPE_CHECKING

from fadeline.models.codecs.catalogue import codec_entry

if TYPE_CHECKING:
    from fadeline.models.codecs.protocol import Codec


def load_codec(codec: str, *, weights: str | None = None) -> "Codec":
    """Return a codec, ready for use.

    Args:
        codec: Its name in the catalogue, such as `stae`; or weights of a learned one, which their
            card tells the kind of: a shipped name or the path of a .safetensors file.
        weights: Name or path of other weights than the shipped ones, for a name in the catalogue.

    Raises:
        WeightsError: If there are no such weights, or they cannot be trusted.
        PluginError: If another package's codec cannot be used.

    Example:
        >>> codec = load_codec("stae")
        >>> codec.name, len(codec.points)
        ('stae', 11)
    """
    entry = codec_entry(codec)
    if entry is not None:
        return entry.loaded(weights)
    from fadeline.models.codecs.stored_codec import load_codec as load_stored_codec

    return load_stored_codec(weights or codec)
