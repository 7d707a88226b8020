import numpy as np
import pytest

from lib.train import batches, train

caffe = pytest.importorskip("caffe")

NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }
layer { name: "label" type: "Input" top: "label"
  input_param { shape { dim: 1 dim: 1 dim: 4 dim: 4 } } }
layer { name: "score" type: "Convolution" bottom: "data" top: "score"
  convolution_param { num_output: 3 kernel_size: 1 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss"
  loss_weight: 2 loss_param { ignore_label: 255 } }
"""
SOLVER = 'net: "{net}" base_lr: 0.5 lr_policy: "fixed" snapshot_prefix: "{prefix}"'


def brightest_channel(rng):
    in_ = rng.normal(size=(3, 6, 5)).astype(np.float32)
    label = in_.argmax(0).astype(np.uint8)
    label[0, 0] = 255
    return in_, label


def test_a_net_learns_which_channel_is_brightest(tmp_path):
    net, prefix = tmp_path / "net.prototxt", tmp_path / "snap"
    net.write_text(NET)
    (tmp_path / "solver.prototxt").write_text(SOLVER.format(net=net, prefix=prefix))
    solver = caffe.SGDSolver(str(tmp_path / "solver.prototxt"))
    losses = train(
        solver,
        batches(brightest_channel, np.random.default_rng(0), 2),
        60,
        snapshot=60,
        silent=True,
    )
    assert losses[0] == pytest.approx(2 * np.log(3), rel=1e-4)  # all scores are zero, weight 2
    assert losses[-5:].mean() < 0.35 * losses[0]
    assert (tmp_path / "snap_iter_60.caffemodel").exists()
