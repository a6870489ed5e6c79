"""Networks in a run: every clip is encoded, decoded and answered as it is met; needs torch.

Slow, and a check of the outcome tables: both must tell the same. One clip at a time, on one core.
"""

import numpy as np
from numpy.typing import NDArray

from fadeline.models.classifiers.stored_vit import load_vit
from fadeline.models.classifiers.vit import VideoViT
from fadeline.models.codecs.protocol import Clip, Codec
from fadeline.models.data.numbering import numbered_as
from fadeline.models.hardware.latency import torch_threads
from fadeline.models.measurement.measuring import answer
from fadeline.simulator.schemes.outcome_tables import loaded_codecs, open_wanted
from fadeline.simulator.schemes.scheme import ANSWER_COLUMNS, Answers, Columns, Live
from fadeline.simulator.schemes.wanted import WantedTable


def live_networks(wanted: WantedTable) -> Live:
    """Return networks, ready to answer clips.

    Args:
        wanted: What their outcome table is of.

    Raises:
        FadelineError: If a codec takes other clips than the classifier.
        ModelsError: If weights are missing, or clips cannot be opened or are of other classes.
    """
    classifier, card = load_vit(wanted.classifier)
    codecs = loaded_codecs(wanted, card)
    clips = numbered_as(open_wanted(wanted, card), card.classes, network=wanted.classifier)

    def networks(codec: str | None, point: int) -> Answers:
        def answers(data_indices: NDArray[np.int64]) -> Columns:
            found: dict[str, list[object]] = {column: [] for column in ANSWER_COLUMNS}
            with torch_threads(1):
                for index in data_indices.tolist():
                    clip = clips.clip(index)
                    if codec is None:
                        row = _as_it_is(classifier, clip)
                    else:
                        row = _there_and_back(codecs[codec], classifier, clip, point)
                    label = int(clips.labels[index])
                    row |= {"data_index": index, "label": label}
                    row |= {"correct": row["predicted"] == label}
                    for column in ANSWER_COLUMNS:
                        found[column].append(row[column])
            frames = np.empty(len(data_indices), dtype=object)
            for place, frame_bytes in enumerate(found.pop("frame_bytes")):
                frames[place] = frame_bytes
            columns = {column: np.array(values) for column, values in found.items()}
            return columns | {"frame_bytes": frames}

        return answers

    return networks


def _as_it_is(classifier: VideoViT, clip: Clip) -> dict[str, object]:
    predicted, confidence = answer(classifier, clip)
    return {
        "bytes": clip.size, "frame_bytes": None, "predicted": predicted, "confidence": confidence
    }  # fmt: skip


def _there_and_back(codec: Codec, frozen: VideoViT, clip: Clip, point: int) -> dict[str, object]:
    encoded, own = codec.encode(clip, point), codec.classifier
    network = frozen if own is None else own.network
    predicted, confidence = answer(network, codec.decode(encoded.stream))
    return {
        "bytes": len(encoded.stream),
        "frame_bytes": encoded.frame_bytes,
        "predicted": predicted,
        "confidence": confidence,
    }
