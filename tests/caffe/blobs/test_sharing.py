"""Two layers with one blob: whose lr_mult and decay_mult hold, and what does not fit."""

import pytest

from caffe.errors import LayerError, ShapeMismatch

FIRST = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "a" type: "InnerProduct" bottom: "data" top: "a" param { name: "w" %s }
  inner_product_param { num_output: 3 bias_term: false } }
layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" param { name: "w" %s }
  inner_product_param { num_output: %d bias_term: false } }
"""


@pytest.mark.parametrize(
    "first, second, wanted",
    [
        ("", "", (1, 1)),
        ("lr_mult: 0.5 decay_mult: 3", "", (0.5, 3)),
        ("", "lr_mult: 0.5 decay_mult: 3", (0.5, 3)),
        ("lr_mult: 2", "decay_mult: 0", (2, 0)),
        ("lr_mult: 2 decay_mult: 4", "lr_mult: 2", (2, 4)),
    ],
)
def test_it_is_enough_that_one_of_them_says(make_net, first, second, wanted):
    net = make_net(FIRST % (first, second, 3))
    (learned,) = net._learned
    assert (learned.lr_mult, learned.decay_mult) == wanted and learned.owner == "a"
    assert net.params["a"][0] is net.params["b"][0]


@pytest.mark.parametrize("field", ["lr_mult", "decay_mult"])
def test_both_must_say_the_same(make_net, field):
    words = f"^layer 'b'.*shares 'w' with layer 'a', but has {field} 3 where that has 1"
    with pytest.raises(LayerError, match=words):
        make_net(FIRST % (f"{field}: 1", f"{field}: 3", 3))


@pytest.mark.parametrize("mode", ["", "share_mode: STRICT", "share_mode: PERMISSIVE"])
def test_other_shapes_cannot_be_shared(make_net, mode):
    with pytest.raises(
        ShapeMismatch, match=r"needs shape \(4, 3\), and the shared blob has \(3, 3\)"
    ) as e:
        make_net(FIRST % ("", mode, 4))
    assert ("PERMISSIVE is not offered" in str(e.value)) == (mode == "share_mode: PERMISSIVE")
