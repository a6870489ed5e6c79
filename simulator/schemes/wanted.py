"""Which outcome tables a scenario needs: of which clips, through which networks."""

from dataclasses import dataclass
from pathlib import Path

from fadeline.models.card import file_sha256, read_card, weights_path
from fadeline.models.codecs.catalogue import codec_entry
from fadeline.models.errors import WeightsError
from fadeline.simulator.loading.plan import Plan
from fadeline.simulator.scenario.scenario import DEFAULT_CLASSIFIER, Scenario
from fadeline.simulator.scenario.scheme import CodecScheme, ConstantScheme, TableScheme

SHORT_SHA256 = 12
"""Digits of a SHA-256 in the name of a codec of one's own weights (our choice)."""


@dataclass(frozen=True, slots=True)
class WantedCodec:
    """A codec as a scheme has it.

    Attributes:
        codec: Its kind, such as `stae`.
        weights: A file of one's own; None for the shipped ones.
    """

    codec: str
    weights: str | None = None

    @property
    def source(self) -> str:
        """Name or path of its weights, as `load_codec` takes it."""
        return self.weights or f"{self.codec}-actions"

    @property
    def has_weights(self) -> bool:
        """Whether the codec has weights, and a card beside them."""
        entry = codec_entry(self.codec)
        return entry is None or bool(entry.shape)

    @property
    def table_name(self) -> str:
        """Its name in outcome tables: the kind, and what its own weights are.

        Raises:
            WeightsError: If there are no such weights, or they are not those of their card.
        """
        if self.weights is None:
            return self.codec
        return f"{self.codec}:{weights_sha256(self.weights)[:SHORT_SHA256]}"


@dataclass(frozen=True, slots=True)
class WantedTable:
    """What an outcome table must be of.

    Attributes:
        data: Name of the clips.
        codecs: Codecs; none if only clips as they are matter.
        splits: Split file or folder; None for those in the folder of the videos.
        draw: Of the split files.
        sampling: Which frames of a video make its clip.
        skip_unreadable: Whether videos that cannot be decoded are left out.
        classifier: Of clips as they are: a shipped name or a file.
    """

    data: str
    codecs: tuple[WantedCodec, ...]
    splits: str | None = None
    draw: int = 1
    sampling: str = "uniform"
    skip_unreadable: bool = False
    classifier: str = DEFAULT_CLASSIFIER


def wanted_table(scenario: Scenario) -> WantedTable | None:
    """Return what a scenario without a sweep needs; None if it needs no outcome table at all."""
    schemes = scenario.schemes
    if all(isinstance(scheme, ConstantScheme | TableScheme) for scheme in schemes):
        return None
    named = [wanted_codec(scheme) for scheme in schemes if isinstance(scheme, CodecScheme)]
    clips = scenario.clips
    return WantedTable(
        clips.data, tuple(dict.fromkeys(named)), clips.splits, clips.draw, clips.sampling,
        clips.skip_unreadable, clips.classifier,
    )  # fmt: skip


def wanted_codec(scheme: CodecScheme) -> WantedCodec:
    """Return the codec of a scheme."""
    return WantedCodec(scheme.codec, scheme.weights)


def wanted_tables(plan: Plan) -> list[WantedTable]:
    """Return what all points of a plan need, each table once."""
    points = plan.points
    if not any(path.split(".")[0] in ("clips", "schemes") for path in plan.scenario.sweep):
        points = points[:1]
    found = (wanted_table(point.scenario) for point in points)
    return [*dict.fromkeys(wanted for wanted in found if wanted is not None)]


def weights_sha256(name_or_path: str) -> str:
    """Return the SHA-256 of weights: of shipped ones as their card says, of a file as it is now.

    Raises:
        WeightsError: If there are no such weights, or they are not those of their card.
    """
    path = weights_path(name_or_path)
    card = read_card(path)
    if Path(name_or_path) != path:
        return card.sha256
    try:
        found = file_sha256(path)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from None
    if found != card.sha256:
        raise WeightsError(
            f"{path}: is damaged or was replaced: its SHA-256 is {found}, its card says "
            f"{card.sha256}; get both files again"
        )
    return found
