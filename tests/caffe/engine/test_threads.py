"""Mode and precision belong to the process; nets in several threads are independent."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import caffe
from caffe.blobs import device
from caffe.errors import NetInUse
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
    results = []
    thread = threading.Thread(target=lambda: results.append(f()))
    thread.start()
    thread.join()
    return results[0]


def test_mode_and_precision_apply_to_all_threads():
    caffe.set_precision("bfloat16")
    assert in_another_thread(device.precision) == torch.bfloat16
    in_another_thread(lambda: caffe.set_precision("float32"))
    assert device.precision() == torch.float32
    assert in_another_thread(device.device) == torch.device("cpu")


def frames(net, seed):
    """Return scores and gradients of ten frames, run in two stages."""
    rng, results = np.random.default_rng(seed), []
    for _ in range(10):
        net.blobs["data"].data[...] = rng.normal(size=(1, 3, 40, 40))
        net.forward(end="relu")
        net.forward(start="pool")
        net.clear_param_diffs()
        net.backward(score=np.ones(net.blobs["score"].shape))
        results.append(
            (
                net.blobs["score"].data.copy(),
                net.blobs["data"].diff.copy(),
                net.params["conv"][0].diff.copy(),
            )
        )
    return results


def test_nets_in_threads_compute_the_same_as_alone(make_net):
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


def test_forward_does_not_change_grad_mode(make_net):
    net = make_net(NET)
    net.blobs["data"].data[...] = np.random.default_rng(0).normal(size=(1, 3, 40, 40))
    for enabled in (True, False):
        with torch.set_grad_enabled(enabled):
            net.forward()
            net.backward(score=np.ones(net.blobs["score"].shape))
            assert torch.is_grad_enabled() == enabled
            assert net.params["conv"][0].diff.any()


SOLVER = 'base_lr: 0.1 lr_policy: "fixed" momentum: 0.9 weight_decay: 0.01 random_seed: '
DROPPING = small_solver.NET.replace(
    'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score"',
    'layer { name: "noise" type: "DummyData" top: "noise" dummy_data_param { '
    'shape { dim: 4 dim: 3 dim: 1 dim: 1 } data_filler { type: "gaussian" std: 1 } } }\n'
    'layer { name: "noisy" type: "Eltwise" bottom: "score" bottom: "noise" top: "noisy" }\n'
    'layer { name: "drop" type: "Dropout" bottom: "noisy" top: "noisy" }\n'
    'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "noisy"',
)


def trained(make_solver, seed, gate=None):
    """Return the weights after 30 steps of a new solver.

    Before each step it waits at the gate, so the steps of several threads interleave.
    """
    solver = make_solver(f"{SOLVER} {seed}", DROPPING)
    for _ in range(30):
        if gate:
            gate.wait(60)
        solver.step(1)
    return small_solver.weights(solver.net)


def test_solvers_in_threads_draw_as_they_do_alone(make_solver):
    """Fillers, Dropout and DummyData use a random generator per thread."""
    alone = [trained(make_solver, seed) for seed in range(3)]
    gate = threading.Barrier(3)
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda seed: trained(make_solver, seed, gate), range(3)))
    for mine, theirs in zip(alone, together, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert np.abs(alone[0][0] - alone[1][0]).max() > 0.01


def test_a_thread_without_a_seed_uses_that_of_the_main_thread():
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
    """As in a pipeline of stages: one net per thread, all with the same weights."""
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


def test_the_gil_is_released_while_a_layer_computes(make_net):
    """Another thread runs during one long forward, which it cannot if the GIL is held."""
    net = make_net(NET.replace("dim: 40 dim: 40", "dim: 900 dim: 900"))
    net.forward()
    ticks, done = [], threading.Event()

    def count():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    switch = sys.getswitchinterval()
    sys.setswitchinterval(100)  # the interpreter itself does not switch threads
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


def test_a_second_thread_is_refused_while_a_net_runs(make_net):
    net, other = make_net(NET), make_net(NET)
    refused = {}

    def try_all(i):
        if i != 1:  # once, in the middle of a pass
            return
        calls = {
            "forward": net.forward,
            "backward": net.backward,
            "reshape": net.reshape,
            "forward_all": lambda: net.forward_all(data=np.zeros((1, 3, 40, 40))),
            "forward_range": lambda: net.forward_range(0, 1),
            "clear_param_diffs": net.clear_param_diffs,
            "share_with": lambda: net.share_with(other),
            "load_state_dict": lambda: net.load_state_dict(other.state_dict()),
        }

        def try_one(name, call):
            try:
                call()
            except NetInUse as e:
                refused[name] = str(e)

        for name, call in calls.items():
            in_another_thread(lambda name=name, call=call: try_one(name, call))
        assert set(refused) == set(calls)

    net.before_forward(try_all)
    net.forward()
    assert "MainThread" in refused["forward"] and "share_with" in refused["forward"]
    refused.clear()
    in_another_thread(lambda: net.forward(end="data"))  # when it has ended, any thread may


def test_threads_that_use_one_net_are_refused_or_right(make_net):
    net, alone = make_net(NET), make_net(NET)
    alone.share_with(net)
    frames_of = np.random.default_rng(0).normal(size=(4, 1, 3, 40, 40))
    wanted = [alone.forward(data=frame)["score"].copy() for frame in frames_of]
    refused, gate = [], threading.Barrier(4)

    def use(k):
        gate.wait(60)
        for _ in range(30):
            try:
                with net._one_caller:  # what it returns is a view, so it is read inside
                    got = net.forward(data=frames_of[k])["score"].copy()
            except NetInUse:
                refused.append(k)
            else:
                np.testing.assert_allclose(got, wanted[k], rtol=1e-5, atol=1e-6)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(4)))
    assert refused


def test_the_same_thread_may_call_a_net_from_a_callback(make_net):
    net, seen = make_net(NET), []

    def run_again(i):
        if i == 4 and not seen:
            seen.append(net.forward(end="pool")["pool"].sum())

    net.before_forward(run_again)
    net.forward()
    assert len(seen) == 1


def test_a_net_is_free_again_after_an_exception(make_net):
    net = make_net(NET)
    with pytest.raises(caffe.CaffeError):
        net.forward(data=np.zeros(3))
    assert in_another_thread(lambda: net.forward()["score"].shape) == (1, 4, 17, 17)
