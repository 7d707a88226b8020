"""Mode and precision belong to the process; nets in several threads do not disturb each other."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

import caffe
from caffe.blobs import device
from tests.caffe.training import small_solver

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
        found.append(
            (
                net.blobs["score"].data.copy(),
                net.blobs["data"].diff.copy(),
                net.params["conv"][0].diff.copy(),
            )
        )
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


SOLVER = 'base_lr: 0.1 lr_policy: "fixed" momentum: 0.9 weight_decay: 0.01 random_seed: %d'
DROPPING = small_solver.NET.replace(
    'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score"',
    'layer { name: "noise" type: "DummyData" top: "noise" dummy_data_param { '
    'shape { dim: 4 dim: 3 dim: 1 dim: 1 } data_filler { type: "gaussian" std: 1 } } }\n'
    'layer { name: "noisy" type: "Eltwise" bottom: "score" bottom: "noise" top: "noisy" }\n'
    'layer { name: "drop" type: "Dropout" bottom: "noisy" top: "noisy" }\n'
    'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "noisy"',
)


def trained(make_solver, seed, gate=None):
    """Weights after 30 steps of a solver made here; at the gate it waits for the others, so that
    steps of several threads fall between each other's."""
    solver = make_solver(SOLVER % seed, DROPPING)
    for _ in range(30):
        if gate:
            gate.wait(60)
        solver.step(1)
    return small_solver.weights(solver.net)


def test_solvers_in_threads_draw_as_they_do_alone(make_solver):
    """Fillers, Dropout and DummyData: each thread has a sequence of its own."""
    alone = [trained(make_solver, seed) for seed in range(3)]
    gate = threading.Barrier(3)
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda seed: trained(make_solver, seed, gate), range(3)))
    for mine, theirs in zip(alone, together, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert np.abs(alone[0][0] - alone[1][0]).max() > 0.01


def test_a_thread_without_a_seed_begins_with_that_of_the_main_thread():
    def draw():
        return torch.empty(5).uniform_(generator=device.generator()).tolist()

    caffe.set_random_seed(5)
    here = draw()
    assert in_another_thread(draw) == in_another_thread(draw) == here != draw()

    def with_another_seed():
        caffe.set_random_seed(6)
        return draw()

    assert in_another_thread(with_another_seed) != here == in_another_thread(draw)


def test_nets_in_threads_may_share_weights(make_net):
    """The stages of a pipeline: one net in each thread, all over the same memory."""
    first = make_net(NET)
    nets = [first] + [make_net(NET) for _ in range(3)]
    for net in nets[1:]:
        net.share_with(first)
    rng = np.random.default_rng(0)
    for net in nets:
        net.blobs["data"].data[...] = rng.normal(size=(1, 3, 40, 40))
    alone = [net.forward()["score"].copy() for net in nets]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            together = list(pool.map(lambda net: net.forward()["score"].copy(), nets))
            for a, b in zip(alone, together, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_the_lock_is_released_while_a_layer_computes(make_net):
    """Another thread counts on during one long forward: holding the lock, it could not."""
    net = make_net(NET.replace("dim: 40 dim: 40", "dim: 900 dim: 900"))
    net.forward()
    ticks, done = [], threading.Event()

    def count():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    switch = sys.getswitchinterval()
    sys.setswitchinterval(100)  # nobody is made to let go of the lock
    try:
        counter.start()
        start = time.perf_counter()
        net.forward()
        end = time.perf_counter()
    finally:
        sys.setswitchinterval(switch)
        done.set()
        counter.join()
    assert sum(start < tick < end for tick in ticks) >= 3
