"""Shared by tests of solvers: a small net, its weights, parameters for each update rule."""

NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 4 dim: 3 dim: 1 dim: 1 } } }
layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 4 dim: 1 } } }
layer { name: "low" type: "Convolution" bottom: "data" top: "low"
  param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
  convolution_param { num_output: 5 kernel_size: 1 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "score" type: "Convolution" bottom: "low" top: "score"
  param { lr_mult: 0.5 } param { lr_mult: 0 }
  convolution_param { num_output: 3 kernel_size: 1 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }
"""
BASE = 'base_lr: 0.1 lr_policy: "fixed" random_seed: 1 '
SETTINGS = {
    "SGD": dict(momentum=0.9),
    "Nesterov": dict(momentum=0.9),
    "AdaGrad": dict(delta=1e-4),
    "RMSProp": dict(rms_decay=0.8, delta=1e-4),
    "AdaDelta": dict(momentum=0.95, delta=1e-4),
    "Adam": dict(momentum=0.9, momentum2=0.99, delta=1e-4),
}


def weights(net):
    return [b.data.copy() for blobs in net.params.values() for b in blobs]
