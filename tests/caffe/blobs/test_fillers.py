"""Fillers have the moments and bounds of their formulas, measured on large blobs."""

import numpy as np
import pytest
from google.protobuf import text_format
from scipy import stats

import caffe
from caffe.blobs.fillers import FILLERS, fill
from caffe.errors import LayerError
from caffe.proto import caffe_pb2

SHAPE = (40, 30, 5, 5)
FAN_IN, FAN_OUT = 30 * 25, 40 * 25
FANS = {
    "": FAN_IN,
    "variance_norm: FAN_IN": FAN_IN,
    "variance_norm: FAN_OUT": FAN_OUT,
    "variance_norm: AVERAGE": (FAN_IN + FAN_OUT) / 2,
}


def filled(text, shape=SHAPE):
    caffe.set_random_seed(1)
    values = fill(text_format.Parse(text, caffe_pb2.FillerParameter()), shape, "layer")
    assert tuple(values.shape) == shape
    return values.numpy()


def distributed(values, distribution):
    """Tell whether values follow a distribution of scipy.stats (Kolmogorov-Smirnov test)."""
    return stats.kstest(values.ravel(), distribution.cdf).pvalue > 0.001


def test_constant():
    assert (filled("value: 2.5") == 2.5).all() and not filled("").any()


def test_uniform():
    assert distributed(filled('type: "uniform"'), stats.uniform(0, 1))
    assert distributed(filled('type: "uniform" min: -2 max: 3'), stats.uniform(-2, 5))


def test_gaussian():
    assert distributed(filled('type: "gaussian"'), stats.norm(0, 1))
    assert distributed(filled('type: "gaussian" mean: 2 std: 0.3'), stats.norm(2, 0.3))


def test_sparse_gaussian_keeps_this_many_weights_of_each_input():
    values = filled('type: "gaussian" mean: 1 std: 0.1 sparse: 10')  # 10 of 40 rows
    assert (values != 0).mean() == pytest.approx(10 / 40, abs=0.01)
    assert values[values != 0].mean() == pytest.approx(1, abs=0.01)
    assert not filled('type: "gaussian" sparse: 0').any()


@pytest.mark.parametrize("norm", FANS)
def test_xavier(norm):
    bound = np.sqrt(3 / FANS[norm])
    assert distributed(filled(f'type: "xavier" {norm}'), stats.uniform(-bound, 2 * bound))


@pytest.mark.parametrize("norm", FANS)
def test_msra(norm):
    assert distributed(filled(f'type: "msra" {norm}'), stats.norm(0, np.sqrt(2 / FANS[norm])))


def test_fans_of_matrices_and_of_vectors():
    for shape, norm, fan in (
        ((50, 400), "FAN_IN", 400),
        ((50, 400), "FAN_OUT", 50),
        ((20000,), "FAN_IN", 1),
        ((20000,), "FAN_OUT", 20000),
    ):
        values = filled(f'type: "msra" variance_norm: {norm}', shape)
        assert values.std() == pytest.approx(np.sqrt(2 / fan), rel=0.05), (shape, norm)


def test_positive_unitball():
    values = filled('type: "positive_unitball"')
    assert (values >= 0).all()
    np.testing.assert_allclose(values.reshape(40, -1).sum(1), 1, rtol=1e-5)
    row = values[0].ravel() / values[0].max()
    assert distributed(row, stats.uniform(0, 1))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_bilinear_interpolates(factor):
    """Upsampling a ramp by the kernel's factor gives a ramp, away from the edges."""
    size = 2 * factor - factor % 2
    kernel = filled('type: "bilinear"', (1, 1, size, size))[0, 0]
    up = np.zeros((6 * factor + size, 6 * factor + size))
    for i, j in np.ndindex(6, 6):
        up[i * factor : i * factor + size, j * factor : j * factor + size] += i * kernel
    inside = np.diff(up[size : -2 * size, size : -2 * size], axis=0)
    assert inside.size
    np.testing.assert_allclose(inside, 1 / factor, atol=1e-6)


@pytest.mark.parametrize(
    "text, shape, words",
    [
        ('type: "xaver"', SHAPE, "unknown filler type 'xaver'.*xavier"),
        ('type: "uniform" min: 2 max: 1', SHAPE, "min 2 is above max 1"),
        ('type: "bilinear"', (2, 2, 3, 4), "square"),
        ('type: "bilinear"', (3, 3), "square"),
        ('type: "xavier" sparse: 3', SHAPE, "sparse is for gaussian"),
    ],
)
def test_refused(text, shape, words):
    with pytest.raises(LayerError, match=f"^layer 'layer'.*{words}"):
        filled(text, shape)


def test_all_fillers_of_caffe():
    assert set(FILLERS) == set(
        "constant uniform gaussian positive_unitball xavier msra bilinear".split()
    )


def test_a_layers_own_fillers(make_net):
    """A layer's weights and biases are filled by their own fillers."""
    net = make_net(
        'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 '
        'dim: 8 dim: 8 } } } layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
        'convolution_param { num_output: 9 kernel_size: 3 weight_filler { type: "msra" }'
        'bias_filler { value: 7 } } } layer { name: "e" type: "PReLU" bottom: "c" '
        'top: "c" prelu_param { filler { value: 0.5 } } }'
    )
    assert net.params["c"][0].data.std() == pytest.approx(np.sqrt(2 / 27), rel=0.3)
    assert (net.params["c"][1].data == 7).all() and (net.params["e"][0].data == 0.5).all()
