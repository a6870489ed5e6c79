"""What every codec can do, learned or classic; needs no torch.

A codec need not inherit anything from here: what has these attributes and methods is one. It is
copied to worker processes while it is measured, so it must be able to be pickled.
"""

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from fadeline.models.hardware.network_work import NetworkWork

if TYPE_CHECKING:
    from torch import nn

Clip = NDArray[np.uint8]
"""8-bit RGB, shape (T, H, W, 3): frames, height, width, colours."""

NO_WEIGHTS_SHA256 = sha256(b"").hexdigest()
"""Of the weights of a codec that has none."""


class Point(Protocol):
    """An operating point: settings that fix rate and quality. A dataclass, so tables can hold it.

    Attributes:
        packets: Parts of a stream that can be decoded without those after them.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def packets(self) -> int:
        """Parts of a stream that can be decoded without those after them."""
        ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """A clip as bytes.

    Attributes:
        stream: All of them.
        frame_bytes: How many can be sent once each frame was seen, of a codec that needs no later
            ones; they add up to the stream's length. None if the whole clip is needed, or there are
            several packets.
        prefix_bytes: Length of the stream up to the end of each packet; empty for one packet.
        attention: Mean score of the positions sent; None of a codec that gives none.
    """

    stream: bytes
    frame_bytes: tuple[int, ...] | None = None
    prefix_bytes: tuple[int, ...] = ()
    attention: float | None = None

    @property
    def packet_ends(self) -> tuple[int, ...]:
        """Where each packet ends in the stream, in bytes."""
        return self.prefix_bytes or (len(self.stream),)


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks of a codec, and what it does beside them, so that both can be timed.

    Attributes:
        work: What the device's and the server's do for a clip; counted when it is asked for.
        analyse: What the device's network says of a clip.
        code: The rest of encoding: what the network said, at an operating point.
        read: Decoding without the network.
    """

    work: Callable[[], tuple[NetworkWork, NetworkWork]]
    analyse: Callable[[Clip], Any]
    code: Callable[[Any, int], Encoded]
    read: Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class OwnClassifier:
    """A classifier that was trained on what a codec restores.

    Attributes:
        network: Clips (B, 3, T, H, W) in [0, 1] to logits (B, classes); in evaluation mode.
        classes: Names of its classes, in the order of the logits.
        sha256: Of its weights.
    """

    network: "nn.Module"
    classes: Sequence[str]
    sha256: str


class Codec(Protocol):
    """Clips to bytes on the device, bytes to clips on the server.

    Attributes:
        name: As in tables and figures.
        points: Operating points.
        classifier: Its own; None if the one trained on clips as they are answers.
        sha256: Of its weights; `NO_WEIGHTS_SHA256` if it has none.
    """

    @property
    def name(self) -> str:
        """As in tables and figures."""
        ...

    @property
    def points(self) -> Sequence[Point]:
        """Operating points."""
        ...

    @property
    def classifier(self) -> OwnClassifier | None:
        """Its own classifier; None if the one trained on clips as they are answers."""
        ...

    @property
    def sha256(self) -> str:
        """Of its weights; `NO_WEIGHTS_SHA256` if it has none."""
        ...

    def encode(self, clip: Clip, point: int) -> Encoded:
        """Return a clip as bytes.

        Args:
            clip: 8-bit RGB, shape (T, H, W, 3).
            point: Number of the operating point.

        Raises:
            ClipError: If the clip is of a shape or type that the codec does not take.
            ValueError: If there is no such operating point.
        """
        ...

    def decode(self, stream: bytes) -> Clip:
        """Return the clip restored from bytes: 8-bit RGB, shape (T, H, W, 3).

        Args:
            stream: From `encode`, or its beginning up to where a packet ends.

        Raises:
            BitstreamError: If it is damaged or of something else.
        """
        ...

    def networks(self) -> Networks | None:
        """Return its networks; None of a codec without, all of whose work is serial."""
        ...
