"""lr_mult and decay_mult above 1, by L1 and L2, in numbers computed by hand."""

import numpy as np
import pytest

import caffe
from tests.caffe.training.solver_oracle import RULES
from tests.caffe.training.test_solver_random import text_of

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 1 dim: 1 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  param { lr_mult: 2 decay_mult: 3 } param { lr_mult: 4 decay_mult: 5 }
  inner_product_param { num_output: 1 } }
layer { name: "loss" type: "EuclideanLoss" bottom: "fc" bottom: "label" top: "loss" }
"""
WEIGHT, BIAS = [2.0, -4.0, 0.0], 1.0
G_WEIGHT, G_BIAS = 1.0, 0.5


@pytest.fixture
def updated(write, tmp_path):
    """updated(**parameters): weight and bias after one update from WEIGHT, BIAS, G_..."""

    def updated(**parameters):
        given = {"type": "SGD", "base_lr": 0.5, "lr_policy": "fixed", "weight_decay": 0.1}
        solver = caffe.get_solver(write(f'net: "{write(NET)}" {text_of(given | parameters)}'))
        weight, bias = solver.net.params["fc"]
        weight.data[...], bias.data[...] = WEIGHT, BIAS
        weight.diff[...], bias.diff[...] = G_WEIGHT, G_BIAS
        solver.apply_update()
        # the diffs hold what was subtracted
        np.testing.assert_allclose(weight.diff, np.array([WEIGHT]) - weight.data, atol=1e-6)
        np.testing.assert_allclose(bias.diff, BIAS - bias.data, atol=1e-6)
        return weight.data[0].copy(), float(bias.data[0])

    return updated


def test_l2(updated):
    """Rate 0.5 * 2, decay 0.1 * 3: 2 - (1 + 0.6), -4 - (1 - 1.2), 0 - 1; 1 - 2 (0.5 + 0.5)."""
    weight, bias = updated()
    np.testing.assert_allclose(weight, [0.4, -3.8, -1.0], rtol=1e-6)
    assert bias == pytest.approx(-1.0)


def test_l1(updated):
    """The decay is 0.3 times the sign, 0 at 0: 2 - 1.3, -4 - 0.7, 0 - 1; 1 - 2 (0.5 + 0.5)."""
    weight, bias = updated(regularization_type="L1")
    np.testing.assert_allclose(weight, [0.7, -4.7, -1.0], rtol=1e-6)
    assert bias == pytest.approx(-1.0)


def test_the_decay_is_neither_averaged_nor_clipped(updated):
    """Gradients by iter_size 2 and by the clip; the decay stays whole.

    The norm is sqrt(3 + 0.25); clipped to half of it and halved again, gradients are a quarter.
    """
    weight, bias = updated(iter_size=2, clip_gradients=float(np.sqrt(3.25) / 2))
    np.testing.assert_allclose(weight, [2 - 0.85, -4 + 0.95, -0.25], rtol=1e-6)
    assert bias == pytest.approx(1 - 2 * (0.125 + 0.5))


OWN = {
    "SGD": dict(momentum=0.9),
    "Nesterov": dict(momentum=0.5),
    "AdaGrad": dict(delta=0.1),
    "RMSProp": dict(delta=0.1, rms_decay=0.75),
    "AdaDelta": dict(delta=0.5, momentum=0.75),
    "Adam": dict(delta=1e-8, momentum=0.9, momentum2=0.99),
}
# the first update of each rule from rate r and decayed gradient g, the history being 0
FIRST = {
    "SGD": lambda r, g: r * g,
    "Nesterov": lambda r, g: 1.5 * r * g,
    "AdaGrad": lambda r, g: r * g / (np.abs(g) + 0.1),
    "RMSProp": lambda r, g: r * g / (np.abs(g) / 2 + 0.1),
    "AdaDelta": lambda r, g: r * g * np.sqrt(0.5 / (g**2 / 4 + 0.5)),
    "Adam": lambda r, g: r * np.sign(g),
}


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("how", ["L1", "L2"])
def test_every_rule(updated, kind, how):
    weight, bias = updated(type=kind, regularization_type=how, **OWN[kind])
    decayed = np.array([1.3, 0.7, 1.0] if how == "L1" else [1.6, -0.2, 1.0])
    np.testing.assert_allclose(weight, WEIGHT - FIRST[kind](1.0, decayed), rtol=1e-5)
    assert bias == pytest.approx(BIAS - FIRST[kind](2.0, np.float64(1.0)), rel=1e-5)
