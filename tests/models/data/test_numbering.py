"""Labels as networks number their classes."""

import pickle

import numpy as np
import pytest

from fadeline.models.classifiers.controls import SomeClips
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.numbering import NumberedClips, numbered_as
from fadeline.models.errors import ClipError


class Three:
    name, version, classes, shape = "three", "1", ("a", "b", "c"), (1, 2, 2)
    labels = np.array([0, 1, 2, 1])

    def __len__(self):
        return 4

    def clip(self, index):
        return np.full((1, 2, 2, 3), index, np.uint8)


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        (["a", "b", "c"], [0, 1, 2, 1]),
        (["c", "b", "a"], [2, 1, 0, 1]),
        (["x", "c", "a", "y", "b"], [2, 4, 1, 4]),
    ],
)
def test_labels_follow_names(classes, labels):
    clips: ClipSet = numbered_as(Three(), classes, network="net")
    assert clips.labels.tolist() == labels
    assert clips.classes == tuple(classes)
    assert [clips.classes[label] for label in clips.labels] == ["a", "b", "c", "b"]
    assert (clips.name, clips.version, clips.shape, len(clips)) == ("three", "1", (1, 2, 2), 4)
    assert clips.clip(3)[0, 0, 0, 0] == 3
    assert pickle.loads(pickle.dumps(clips)).labels.tolist() == labels


def test_part_of_a_set_keeps_its_numbers():
    some = SomeClips(Three(), 2)
    clips = numbered_as(some, ["c", "b", "a"], network="net")
    assert isinstance(clips, NumberedClips)
    assert clips.indices.tolist() == some.indices.tolist()


def test_unknown_classes_are_named():
    message = r"three: its classes are not those of net, which does not know b, c \(it knows a, d\)"
    with pytest.raises(ClipError, match=message):
        numbered_as(Three(), ["a", "d"], network="net")
