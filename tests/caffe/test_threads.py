"""Mode and precision belong to the process; nets in several threads do not disturb each other."""
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

import caffe
from caffe import device

NET = """
force_backward: true
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 40 dim: 40 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {
  num_output: 8 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "score" type: "Convolution" bottom: "pool" top: "score" convolution_param {
  num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
"""


def in_another_thread(f):
    found = []
    thread = threading.Thread(target=lambda: found.append(f()))
    thread.start()
    thread.join()
    return found[0]


def test_the_choice_of_one_thread_is_that_of_all():
    caffe.set_precision("bfloat16")
    assert in_another_thread(device.precision) == torch.bfloat16
    in_another_thread(lambda: caffe.set_precision("float32"))
    assert device.precision() == torch.float32
    assert in_another_thread(device.device) == torch.device("cpu")


def frames(net, seed):
    """Scores and gradients of ten frames, a few in stages."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(10):
        net.blobs["data"].data[...] = rng.normal(size=(1, 3, 40, 40))
        net.forward(end="relu")
        net.forward(start="pool")
        net.clear_param_diffs()
        net.backward(score=np.ones(net.blobs["score"].shape))
        found.append((net.blobs["score"].data.copy(), net.blobs["data"].diff.copy(),
                      net.params["conv"][0].diff.copy()))
    return found


def test_nets_in_threads_give_what_they_give_alone(make_net):
    nets = [make_net(NET) for _ in range(4)]
    alone = [frames(net, seed) for seed, net in enumerate(nets)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(frames, nets, range(4)))
    for mine, theirs in zip(alone, together, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            for x, y in zip(a, b, strict=True):
                np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
    assert np.abs(alone[0][0][0] - alone[1][0][0]).max() > 0


def test_a_net_made_in_one_thread_runs_in_another(make_net):
    net = make_net(NET)
    net.blobs["data"].data[...] = 1
    here = net.forward()["score"].copy()
    there = in_another_thread(lambda: net.forward()["score"].copy())
    np.testing.assert_array_equal(here, there)


def test_forward_leaves_gradient_recording_as_it_was(make_net):
    net = make_net(NET)
    net.blobs["data"].data[...] = np.random.default_rng(0).normal(size=(1, 3, 40, 40))
    for enabled in (True, False):
        with torch.set_grad_enabled(enabled):
            net.forward()
            net.backward(score=np.ones(net.blobs["score"].shape))
            assert torch.is_grad_enabled() == enabled
            assert net.params["conv"][0].diff.any()
