"""Blob: shapes, views, and shapes that are refused before memory is allocated."""

import copy
import pickle

import numpy as np
import pytest

from caffe import Blob
from caffe.blobs.blob import MOST_ELEMENTS, BlobVec, refusal
from caffe.errors import CaffeError, NotAssignable


def test_shape_and_count():
    blob = Blob(2, 3, 4, 5)
    assert blob.shape == (2, 3, 4, 5) and blob.count == 120
    assert (blob.num, blob.channels, blob.height, blob.width) == (2, 3, 4, 5)
    assert Blob().shape == () and Blob().count == 1
    assert repr(Blob(1, 2)) == "Blob(1, 2)"


def test_legacy_names_of_the_axes():
    assert (Blob(7).num, Blob(7).channels, Blob(7).width) == (7, 1, 1)
    with pytest.raises(CaffeError, match="use .shape"):
        _ = Blob(1, 2, 3, 4, 5).num


def test_data_and_diff_are_float32_views_that_write_through():
    blob = Blob(2, 3)
    assert blob.data.dtype == blob.diff.dtype == np.float32
    assert not blob.data.any() and not blob.diff.any()
    view = blob.data
    view[0] = 4
    blob.data[1] += 1
    np.testing.assert_array_equal(blob.data, [[4, 4, 4], [1, 1, 1]])
    assert np.shares_memory(view, blob.data) and not np.shares_memory(blob.data, blob.diff)


def test_reshape_keeps_the_content_in_memory_order():
    blob = Blob(2, 3)
    blob.data[...] = np.arange(6).reshape(2, 3)
    view = blob.data
    blob.reshape(3, 2)
    np.testing.assert_array_equal(blob.data, [[0, 1], [2, 3], [4, 5]])
    assert np.shares_memory(view, blob.data)
    blob.reshape(2)
    np.testing.assert_array_equal(blob.data, [0, 1])
    blob.reshape(4)
    np.testing.assert_array_equal(blob.data[:2], [0, 1])
    assert blob.diff.shape == (4,)


def test_reshape_takes_numpy_integers_and_whole_floats():
    blob = Blob()
    blob.reshape(*np.array([2, 3]))
    assert blob.shape == (2, 3) and all(type(d) is int for d in blob.shape)
    blob.reshape(4.0)
    assert blob.shape == (4,)


@pytest.mark.parametrize(
    "dims", [(-1,), (1.5,), ("x",), ((1, 2),), (None,), (float("nan"),), (float("inf"),), (1,) * 33]
)
def test_dimensions_that_are_refused(dims):
    blob = Blob(2)
    for make in (blob.reshape, Blob):
        with pytest.raises(CaffeError, match="whole numbers|axes"):
            make(*dims)
    assert blob.shape == (2,)


@pytest.mark.parametrize("dims", [(2**31,), (10**6, 10**6), (2**16,) * 4, (10**30,)])
def test_too_large_shapes_are_refused_before_memory_is_allocated(dims):
    with pytest.raises(CaffeError, match="elements.*make it smaller"):
        Blob(*dims)
    assert refusal((MOST_ELEMENTS,)) is None and refusal((MOST_ELEMENTS + 1,))
    assert MOST_ELEMENTS < 2**31


def test_a_large_blob_is_not_allocated_until_it_is_used():
    assert Blob(MOST_ELEMENTS).count == MOST_ELEMENTS


def test_empty_blobs():
    blob = Blob(0, 3)
    assert blob.count == 0 and blob.data.shape == (0, 3)


def test_blob_vec():
    blobs = BlobVec()
    blobs.add_blob(2, 3)
    assert blobs[0].shape == (2, 3) and not blobs[0].data.any()


def test_share_data():
    a, b = Blob(2), Blob(2)
    a.share_data(b)
    b.data[...] = 3
    assert (a.data == 3).all() and not a.diff.any()


def test_what_data_returned_may_be_assigned_back():
    """`blob.data += 1` is an operation in place, then an assignment of the same view."""
    blob = Blob(2, 3)
    view = blob.data
    for what in ("data", "diff"):
        setattr(blob, what, getattr(blob, what))
    blob.data += 2
    blob.data *= 3
    blob.diff -= 1
    assert (view == 6).all() and (blob.diff == -1).all()


@pytest.mark.parametrize("what", ["data", "diff"])
@pytest.mark.parametrize(
    "value, words",
    [
        (np.ones((2, 3), np.float32), r"write \.data\[\.\.\.\] = array, which copies the values$"),
        (np.ones((4, 3)), r"after \.reshape\(4, 3\) of the blob, whose shape is \(2, 3\)"),
        (0, r"write \.data"),
        (None, r"write \.data"),
        ([[1, 2, 3]], r"write \.data"),
        (Blob(2, 3), r"write \.data"),
    ],
)
def test_nothing_else_may_be_assigned(what, value, words):
    blob = Blob(2, 3)
    with pytest.raises(NotAssignable, match=words.replace("data", what)) as caught:
        setattr(blob, what, value)
    assert isinstance(caught.value, AttributeError) and isinstance(caught.value, CaffeError)
    with pytest.raises(NotAssignable, match="write"):
        setattr(blob, what, getattr(blob, what)[:1])  # a part of it
    assert not blob.data.any() and blob.shape == (2, 3)


def test_other_assignments_to_a_blob():
    blob = Blob(2, 3)
    with pytest.raises(NotAssignable, match=r"\.reshape\(\*shape\)"):
        blob.shape = (3, 2)
    with pytest.raises(NotAssignable, match=r"write \.data\[\.\.\.\] = array"):
        blob[...] = 1
    with pytest.raises(AttributeError):
        blob.num = 5


def test_a_layers_blobs_hold_blobs_and_stay():
    blobs = BlobVec([Blob(1)])
    blobs[0] = Blob(2)
    for change in (
        lambda: blobs.__setitem__(0, np.ones(1)),
        lambda: blobs.__setitem__(slice(0, 1), [1]),
        lambda: blobs.append(np.ones(1)),
        lambda: blobs.extend([1]),
    ):
        with pytest.raises(NotAssignable, match="is not a Blob"):
            change()
    blobs.fixed = True
    for change in (lambda: blobs.__setitem__(0, Blob(2)), lambda: blobs.__delitem__(0)):
        with pytest.raises(NotAssignable, match="stay in place"):
            change()
    assert [b.shape for b in blobs] == [(2,)]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda b: pickle.loads(pickle.dumps(b))])
def test_copies_of_blobs(copied):
    blob, blank = Blob(2, 3), Blob()
    blob.data[...], blob.diff[...] = 5, 7
    other = copied(blob)
    assert (other.data == 5).all() and (other.diff == 7).all()
    other.data[...] = 1
    assert (blob.data == 5).all()
    other = copied(blank)
    assert other.shape == () and other.data == 0 and not other.synced_diff.held
    vector = BlobVec([blob])
    vector.fixed = True
    twin = copied(vector)
    twin.append(Blob(1))
    assert (twin[0].data == 5).all() and len(vector) == 1
