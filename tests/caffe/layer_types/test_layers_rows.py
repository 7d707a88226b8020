"""BatchReindex and Filter against NumPy's indexing; layers above a top whose size changes."""

import numpy as np
import pytest

from caffe.errors import LabelRange, LayerError, ShapeMismatch

INPUT = 'layer { name: "%s" type: "Input" top: "%s" input_param { shape { %s } } }'


def dims(*shape):
    return " ".join(f"dim: {d}" for d in shape)


def test_batch_reindex(one_layer):
    net = one_layer('type: "BatchReindex"', (4, 3, 2), (6,))
    index = [3, 0, 0, 2, 3, 3]
    net.blobs["in1"].data[...] = index
    np.testing.assert_array_equal(net.forward()["top"], net.blobs["in0"].data[index])
    top = np.random.default_rng(0).normal(size=(6, 3, 2)).astype(np.float32)
    wanted = np.zeros((4, 3, 2))
    np.add.at(wanted, index, top)
    np.testing.assert_allclose(net.backward(top=top)["in0"], wanted, rtol=1e-5)
    assert not net.blobs["in0"].diff[1].any() and not net.blobs["in1"].diff.any()
    net.blobs["in1"].data[2] = 4
    with pytest.raises(LabelRange, match="^layer 'layer'.*'in1' indexes row 4, but.* has 4 rows"):
        net.forward()


def test_no_rows(one_layer):
    """With no index there are no rows and all gradients are 0; with indices the rows are back."""
    net = one_layer('type: "BatchReindex"', (4, 3), (0,))
    x = net.blobs["in0"].data
    x[...] = np.arange(12).reshape(4, 3)
    for _ in range(2):
        assert net.forward()["top"].shape == net.blobs["top"].shape == (0, 3)
        net.blobs["in0"].diff[...] = 7
        np.testing.assert_array_equal(
            net.backward(top=np.zeros((0, 3)))["in0"], [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
        )
        np.testing.assert_array_equal(x, np.arange(12).reshape(4, 3))
        net.blobs["in1"].reshape(2)
        net.blobs["in1"].data[...] = [3, 1]
        np.testing.assert_array_equal(net.forward()["top"], [[9, 10, 11], [3, 4, 5]])
        top = np.array([[1, 2, 3], [4, 5, 6]])
        np.testing.assert_array_equal(
            net.backward(top=top)["in0"], [[0, 0, 0], [4, 5, 6], [0, 0, 0], [1, 2, 3]]
        )
        net.blobs["in1"].reshape(0)


@pytest.mark.parametrize("shapes", [((4, 3), (6, 1)), ((), (6,)), ((4,), ())])
def test_batch_reindex_refuses(one_layer, shapes):
    with pytest.raises(ShapeMismatch, match="'layer'.*one axis"):
        one_layer('type: "BatchReindex"', *shapes)


FILTER = (
    "force_backward: true "
    + INPUT % ("a", "a", dims(5, 2))
    + INPUT % ("b", "b", dims(5, 3))
    + INPUT % ("s", "s", dims(5, 1, 1))
    + 'layer { name: "filter" type: "Filter" bottom: "a" bottom: "b" bottom: "s" '
    'top: "fa" top: "fb" } layer { name: "sum" type: "Reduction" bottom: "fb" top: "sum" '
    "reduction_param { axis: 1 } }"
)


@pytest.fixture
def filtered(make_net):
    net = make_net(FILTER)
    rng = np.random.default_rng(0)
    for name in "ab":
        net.blobs[name].data[...] = rng.normal(size=net.blobs[name].shape)
    return net


def test_filter_changes_the_size_of_all_layers_above(filtered):
    net = filtered
    assert net.blobs["fa"].shape == (5, 2) and net.blobs["sum"].shape == (5,)
    for chosen in ([1, 0, 0, 2, 0], [1, 1, 1, 1, 1], [0, 0, -1, 0, 0]):
        net.blobs["s"].data[:, 0, 0] = chosen
        rows = np.flatnonzero(chosen)
        net.forward()
        np.testing.assert_array_equal(net.blobs["fa"].data, net.blobs["a"].data[rows])
        np.testing.assert_allclose(
            net.blobs["sum"].data, net.blobs["b"].data[rows].sum(1), rtol=1e-5
        )
        net.blobs["sum"].diff[...] = np.arange(1, len(rows) + 1)
        net.blobs["fa"].diff[...] = 7
        net.backward()
        wanted = np.zeros((5, 3))
        wanted[rows] = np.arange(1, len(rows) + 1)[:, None]
        np.testing.assert_array_equal(net.blobs["b"].diff, wanted)
        np.testing.assert_array_equal(net.blobs["a"].diff[:, 0] == 7, np.array(chosen) != 0)
        assert net.blobs["fa"].diff.shape == net.blobs["fa"].shape
    net.reshape()
    assert net.blobs["fa"].shape == (1, 2)  # the computed content stays
    for name in "abs":
        net.blobs[name].reshape(3, *net.blobs[name].shape[1:])
    net.blobs["s"].data[...] = 1
    assert net.forward()["sum"].shape == (3,)


def test_a_filter_that_selects_nothing(filtered):
    assert filtered.forward()["sum"].shape == (0,)
    filtered.backward()
    assert not filtered.blobs["b"].diff.any()


def test_a_stage_above_a_filter(filtered):
    filtered.blobs["s"].data[2:4] = 1
    filtered.forward(end="filter")
    assert filtered.forward(start="sum")["sum"].shape == (2,)


def test_a_filtered_blob_with_a_loss_weight(make_net):
    text = FILTER.replace('top: "fb" }', 'top: "fb" loss_weight: 0 loss_weight: 3 }')
    net = make_net(text[: text.index('layer { name: "sum"')])
    for chosen in ([1, 0, 1, 0, 0], [1, 0, 0, 0, 0]):
        net.blobs["s"].data[:, 0, 0] = chosen
        net.forward()
        net.backward()
        np.testing.assert_array_equal(net.blobs["b"].diff[:, 0], 3 * np.array(chosen))


@pytest.mark.parametrize(
    "shapes, words",
    [
        (((5, 2), (5, 2)), "one value for each row"),
        (((5, 2), (4,)), "does not have the 4 rows"),
        (((5, 2), ()), "one value for each row"),
        (((), (5,)), "does not have"),
    ],
)
def test_filter_refuses(one_layer, shapes, words):
    with pytest.raises(ShapeMismatch, match=f"^layer 'layer'.*{words}"):
        one_layer('type: "Filter"', *shapes)
    with pytest.raises(LayerError, match="one top for each bottom but the last"):
        one_layer('type: "Filter" top: "a" top: "b"', (5, 2), (5,))
