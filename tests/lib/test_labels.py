import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from datasets import files
from lib.labels import IGNORE, changed_share, check_lookup, label_map, relabelled


def test_datasets_ignore_the_same_label():
    assert IGNORE == files.IGNORE == 255  # lib imports nothing of datasets for it


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 9), st.integers(1, 5), st.integers(1, 5)),
        elements=st.integers(-3, 3),
    )
)
def test_label_map_is_argmax(scores):
    before = scores.copy()
    label = label_map(scores)
    assert label.dtype == np.uint8
    np.testing.assert_array_equal(label, scores.argmax(0))
    np.testing.assert_array_equal(scores, before)


def test_classes_are_replaced_by_their_entry():
    lookup = np.arange(256, dtype=np.uint8)[::-1]
    label = np.array([[0, 7], [255, 254]], np.uint8)
    np.testing.assert_array_equal(relabelled(label, lookup), [[255, 248], [0, 1]])
    assert relabelled(label, None) is label


@pytest.mark.parametrize("lookup", [None, np.zeros(256, np.uint8)])
def test_lookups_that_are_accepted(lookup):
    check_lookup(lookup)


@pytest.mark.parametrize(
    "lookup, message",
    [
        (np.zeros(21, np.uint8), r"shape \(21,\) and holds uint8"),
        (np.zeros(256), r"shape \(256,\) and holds float64"),
        ({0: 1}, r"shape \(\) and holds dict: give 256 uint8"),
    ],
)
def test_wrong_lookups(lookup, message):
    with pytest.raises(ValueError, match=message):
        check_lookup(lookup)


def test_changed_share():
    before = np.array([[0, 1, 2, 3]])
    assert changed_share(before, before) == 0
    assert changed_share(np.array([[0, 1, 2, 0]]), before) == 0.25
    assert changed_share(before.T, before) == 1
