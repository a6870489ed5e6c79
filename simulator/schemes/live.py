"""Networks in a run: every clip is encoded, decoded and answered as it is met; needs torch.

Slow, and a check of the outcome tables: both must tell the same. One clip at a time, on one core.
"""

import numpy as np
from numpy.typing import NDArray

from fadeline.models.classifiers.stored_vit import load_vit
from fadeline.models.classifiers.vit import VideoViT
from fadeline.models.codecs.stored_codec import TrainedCodec
from fadeline.models.data.numbering import numbered_as
from fadeline.models.hardware.latency import torch_threads
from fadeline.models.measurement.measuring import answer
from fadeline.simulator.schemes.outcome_tables import open_wanted, trained_codecs
from fadeline.simulator.schemes.scheme import ANSWER_COLUMNS, Answers, Columns, Live
from fadeline.simulator.schemes.wanted import WantedTable

Pixels = NDArray[np.uint8]


def live_networks(wanted: WantedTable) -> Live:
    """Return networks, ready to answer clips.

    Args:
        wanted: What their outcome table is of.

    Raises:
        FadelineError: If a codec takes other clips than the classifier.
        ModelsError: If weights are missing, or clips cannot be opened or are of other classes.
    """
    classifier, card = load_vit(wanted.classifier)
    trained = trained_codecs(wanted, card)
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
                        row = _there_and_back(trained[codec], clip, point)
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


def _as_it_is(classifier: VideoViT, clip: Pixels) -> dict[str, object]:
    predicted, confidence = answer(classifier, clip)
    return {
        "bytes": clip.size, "frame_bytes": None, "predicted": predicted, "confidence": confidence
    }  # fmt: skip


def _there_and_back(trained: TrainedCodec, clip: Pixels, point: int) -> dict[str, object]:
    encoding = trained.coder.encoding(clip, point)
    predicted, confidence = answer(trained.classifier, trained.coder.decode(encoding.stream))
    return {
        "bytes": len(encoding.stream),
        "frame_bytes": encoding.frame_bytes,
        "predicted": predicted,
        "confidence": confidence,
    }
