"""Concat, Slice, Flatten, Reshape and Tile against NumPy."""

import numpy as np
import pytest

from caffe.errors import CaffeError, LayerError

SHAPE = (2, 6, 4, 5)


@pytest.mark.parametrize(
    "params, axis", [("", 1), ("axis: 0", 0), ("axis: -1", 3), ("concat_dim: 2", 2)]
)
def test_concat(one_layer, check_gradients, params, axis):
    longer = tuple(d + (i == axis) for i, d in enumerate(SHAPE))
    net = one_layer(f'type: "Concat" concat_param {{ {params} }}', SHAPE, longer)
    wanted = np.concatenate([net.blobs["in0"].data, net.blobs["in1"].data], axis)
    np.testing.assert_array_equal(net.forward()["top"], wanted)
    check_gradients(net, step=0.5)


def test_concat_of_one_is_a_copy(one_layer):
    net = one_layer('type: "Concat"', SHAPE)
    before = net.forward()["top"].copy()
    net.blobs["in0"].data[...] = 0
    np.testing.assert_array_equal(net.blobs["top"].data, before)


@pytest.mark.parametrize(
    "params, axis, ends",
    [
        ("", 1, [2, 4]),
        ("slice_point: 1 slice_point: 5", 1, [1, 5]),
        ("slice_dim: 2 slice_point: 1 slice_point: 2", 2, [1, 2]),
        ("axis: -1 slice_point: 2 slice_point: 4", 3, [2, 4]),
    ],
)
def test_slice(one_layer, check_gradients, params, axis, ends):
    net = one_layer(f'type: "Slice" top: "top" top: "b" top: "c" slice_param {{ {params} }}', SHAPE)
    out = net.forward()
    for name, wanted in zip(
        ("top", "b", "c"), np.split(net.blobs["in0"].data, ends, axis), strict=True
    ):
        np.testing.assert_array_equal(out[name], wanted)
    check_gradients(net, step=0.5)


@pytest.mark.parametrize(
    "params, wanted",
    [
        ("", (2, 120)),
        ("axis: 2", (2, 6, 20)),
        ("axis: 0 end_axis: 1", (12, 4, 5)),
        ("axis: 1 end_axis: -2", (2, 24, 5)),
        ("axis: 2 end_axis: 2", SHAPE),
    ],
)
def test_flatten(one_layer, check_gradients, params, wanted):
    net = one_layer(f'type: "Flatten" flatten_param {{ {params} }}', SHAPE)
    np.testing.assert_array_equal(net.forward()["top"], net.blobs["in0"].data.reshape(wanted))
    check_gradients(net, step=0.5)


@pytest.mark.parametrize(
    "params, wanted",
    [
        ("shape { dim: 0 dim: -1 }", (2, 120)),
        ("shape { dim: -1 }", (240,)),
        ("shape { dim: 0 dim: 3 dim: 2 dim: 0 dim: -1 }", (2, 3, 2, 5, 4)),
        ("shape { dim: 3 dim: 2 } axis: 1 num_axes: 1", (2, 3, 2, 4, 5)),
        ("shape { dim: 1 } axis: 1 num_axes: 0", (2, 1, 6, 4, 5)),
        ("shape { dim: 1 } axis: -1 num_axes: 0", (2, 6, 4, 5, 1)),
        ("shape { dim: 20 } axis: -3", (2, 6, 20)),
        ("shape { dim: -1 } axis: 1 num_axes: 2", (2, 24, 5)),
    ],
)
def test_reshape(one_layer, check_gradients, params, wanted):
    net = one_layer(f'type: "Reshape" reshape_param {{ {params} }}', SHAPE)
    np.testing.assert_array_equal(net.forward()["top"], net.blobs["in0"].data.reshape(wanted))
    check_gradients(net, step=0.5)


def test_reshape_follows_its_bottom(one_layer):
    net = one_layer('type: "Reshape" reshape_param { shape { dim: 0 dim: -1 } }', SHAPE)
    net.blobs["in0"].reshape(3, 2, 2)
    assert net.forward()["top"].shape == (3, 4)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_tile(one_layer, check_gradients, axis):
    net = one_layer(f'type: "Tile" tile_param {{ tiles: 3 axis: {axis} }}', SHAPE)
    wanted = np.concatenate([net.blobs["in0"].data] * 3, axis)
    np.testing.assert_array_equal(net.forward()["top"], wanted)
    check_gradients(net, step=0.5)


@pytest.mark.parametrize(
    "layer, shapes, words",
    [
        ('"Concat"', [(2, 3), (3, 3)], "differ in other axes than axis 1: in0 .2, 3., in1"),
        ('"Concat"', [(2, 3), (2, 3, 1)], "differ"),
        ('"Concat" concat_param { axis: 2 }', [(2, 3)], "axis 2"),
        ('"Slice" top: "a" top: "b"', [(2, 3)], "length 3 does not divide into 2"),
        ('"Slice" top: "a" top: "b" slice_param { slice_point: 3 }', [(2, 3)], "cannot cut"),
        (
            '"Slice" top: "a" top: "b" top: "c" slice_param { slice_point: [2, 1] }',
            [(2, 3)],
            "cannot cut",
        ),
        (
            '"Slice" top: "a" top: "b" top: "c" slice_param { slice_point: 1 }',
            [(2, 3)],
            "cannot cut",
        ),
        ('"Flatten" flatten_param { axis: 2 end_axis: 1 }', [SHAPE], "lies before"),
        ('"Reshape" reshape_param { shape { dim: 7 } }', [SHAPE], "240 elements.*would have 7"),
        ('"Reshape" reshape_param { shape { dim: -1 dim: -1 } }', [SHAPE], "one may be -1"),
        ('"Reshape" reshape_param { shape { dim: -2 } }', [SHAPE], "one may be -1"),
        ('"Reshape" reshape_param { shape { dim: 7 dim: -1 } }', [SHAPE], "elements"),
        ('"Reshape" reshape_param { shape { dim: [1, 1, 1, 1, 0] } }', [SHAPE], "does not have"),
        ('"Reshape" reshape_param { axis: 5 }', [SHAPE], "outside the 4 axes"),
        ('"Reshape" reshape_param { axis: 2 num_axes: 3 }', [SHAPE], "outside the 4 axes"),
        ('"Tile"', [SHAPE], "tiles is 0"),
        ('"Tile" tile_param { tiles: 2000000000 }', [SHAPE], "make it smaller"),
    ],
)
def test_refused_with_the_layers_name(one_layer, layer, shapes, words):
    with pytest.raises(CaffeError, match=f"'layer'.*{words}"):
        one_layer(f"type: {layer}", *shapes)


@pytest.mark.parametrize("kind, older", [("Concat", "concat_dim"), ("Slice", "slice_dim")])
def test_an_axis_under_two_names(one_layer, kind, older):
    with pytest.raises(LayerError, match=f"'layer'.*axis and {older}, its older name"):
        one_layer(f'type: "{kind}" {kind.lower()}_param {{ axis: 1 {older}: 1 }}', (2, 4))
