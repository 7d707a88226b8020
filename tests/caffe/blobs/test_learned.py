"""Each learned blob of a layer may have one `param { }`, as in Caffe."""

import pytest

import caffe
from caffe.errors import LayerError

PARAM = "param { lr_mult: 0 } "
KINDS = {  # a layer: its learned blobs
    'type: "InnerProduct" inner_product_param { num_output: 2 }': 2,
    'type: "InnerProduct" inner_product_param { num_output: 2 bias_term: false }': 1,
    'type: "Convolution" convolution_param { num_output: 2 kernel_size: 1 }': 2,
    'type: "ReLU"': 0,
    'type: "Scale" scale_param { bias_term: true }': 2,
    'type: "PReLU"': 1,
    'type: "BatchNorm"': 3,
}


@pytest.mark.parametrize("kind", KINDS)
def test_as_many_param_as_blobs(one_layer, kind):
    number = KINDS[kind]
    for given in range(number + 1):
        net = one_layer(f"{kind} {PARAM * given}", (1, 2, 3, 3))
        assert len(net.params.get("layer", ())) == number


@pytest.mark.parametrize("kind", KINDS)
def test_more_param_than_blobs(one_layer, kind):
    number = KINDS[kind]
    words = rf"layer 'layer'.*has {number + 1} param {{ }} for {number} learned blobs: give one"
    with pytest.raises(LayerError, match=words):
        one_layer(f"{kind} {PARAM * (number + 1)}", (1, 2, 3, 3))


def test_more_param_than_a_python_layer_has(one_layer):
    with pytest.raises(LayerError, match="has 1 param { } for 0 learned blobs"):
        one_layer(
            'type: "Python" python_param { module: "tests.caffe.blobs.test_learned" '
            f'layer: "Twice" }} {PARAM}',
            (1, 2),
        )


class Twice(caffe.Layer):
    def setup(self, bottom, top):
        pass

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        top[0].data[...] = 2 * bottom[0].data
