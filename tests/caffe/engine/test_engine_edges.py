"""What the engine hands from layer to layer: precision, memory of their own, sources that grow."""

import numpy as np
import pytest
import torch

import caffe
from caffe.engine import compute
from caffe.errors import StaleInput

FINE = np.float32(1 + 2**-12)  # which bfloat16 would round to 1


@pytest.mark.parametrize("precise", [0, 1])
def test_layers_that_move_elements_take_them_as_the_first_bottom_is_held(make_net, precise):
    """Crop's bottom 1 gives its shape only; what bottom 0 holds is not rounded on its account."""
    caffe.set_precision("bfloat16")
    first, second = ("in0", "half") if precise == 0 else ("half", "in0")
    net = make_net(
        'layer { name: "in0" type: "Input" top: "in0" input_param { shape { dim: 1 dim: 2 } } }'
        'layer { name: "half" type: "Power" bottom: "in0" top: "half" power_param { shift: 0 } }'
        f'layer {{ name: "crop" type: "Crop" bottom: "{first}" bottom: "{second}" top: "crop" '
        "crop_param { axis: 1 } }"
    )
    net.blobs["in0"].data[...] = FINE
    wanted = FINE if precise == 0 else 1
    assert net.forward()["crop"].tolist() == [[wanted, wanted]]


def test_gradients_never_share_memory():
    """Neither with one another nor with the diffs of the tops, whatever autograd hands out."""
    same, top, other = torch.ones(3), torch.full((3,), 2.0), torch.full((3,), 3.0)
    found = list(compute._unshared([same, None, same, top, other[:2], other], [top]))
    assert found[1] is None and [g.tolist() for g in found if g is not None] == [
        [1, 1, 1],
        [1, 1, 1],
        [2, 2, 2],
        [3, 3],
        [3, 3, 3],
    ]
    places = [g.untyped_storage().data_ptr() for g in (*filter(torch.is_tensor, found), top)]
    assert len(set(places)) == 6


GROWING = """
import caffe
class Growing(caffe.Layer):
    size = 2
    def setup(self, bottom, top):
        pass
    def reshape(self, bottom, top):
        top[0].reshape(1, self.size)
    def forward(self, bottom, top):
        top[0].data[...] = self.size
"""


def test_a_data_layer_of_another_size_makes_stale_what_came_from_it(
    make_net, tmp_path, monkeypatch
):
    """A source is an Input or any layer without bottoms."""
    (tmp_path / "growing_source.py").write_text(GROWING)
    monkeypatch.syspath_prepend(tmp_path)
    power = (
        'layer {{ name: "{1}" type: "Power" bottom: "{0}" top: "{1}" power_param {{ scale: 3 }} }}'
    )
    net = make_net(
        'layer { name: "data" type: "Python" top: "data" '
        'python_param { module: "growing_source" layer: "Growing" } }'
        + power.format("data", "a")
        + power.format("a", "b")
    )
    assert net.forward()["b"].tolist() == [[18, 18]]
    net.forward(start="b")
    net.layers[0].size = 3
    net.forward(end="data")
    with pytest.raises(StaleInput, match=r"'a' was computed from 'data' of shape \(1, 2\), which"):
        net.forward(start="b")
    net.forward(start="a", end="a")
    net.forward(start="b")
    assert net.blobs["b"].data.tolist() == [[27, 27, 27]]
