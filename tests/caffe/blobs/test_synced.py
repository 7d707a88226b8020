"""Host and engine see each other's writes, in float32 and in bfloat16."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import caffe
from caffe.blobs.synced import SyncedTensor

CPU = torch.device("cpu")
SHAPE = (1, 2, 3, 2)


def test_float32_on_the_cpu_shares_memory():
    synced = SyncedTensor(SHAPE)
    synced.numpy()[...] = 1
    assert synced.tensor(CPU).data_ptr() == synced.numpy().ctypes.data
    synced.tensor(CPU).add_(1)
    assert (synced.numpy() == 2).all()


def test_put_writes_into_views_that_are_out():
    synced = SyncedTensor(SHAPE)
    view = synced.numpy()
    synced.put(torch.ones(SHAPE))
    assert (view == 1).all() and np.shares_memory(view, synced.numpy())
    synced.put(torch.full(SHAPE, 2, dtype=torch.bfloat16))
    assert (synced.numpy() == 2).all() and (view == 2).all()


def test_put_without_views_keeps_the_tensor_itself():
    synced, result = SyncedTensor(SHAPE), torch.ones(SHAPE)
    synced.put(result)
    assert synced.tensor(CPU).data_ptr() == result.data_ptr()


def test_put_changes_the_shape():
    synced = SyncedTensor(SHAPE)
    view = synced.numpy()
    synced.put(torch.ones(5))
    assert synced.shape == (5,) and (synced.numpy() == 1).all() and view.shape == SHAPE


def test_bfloat16_images_are_channels_last_and_come_back_in_order():
    synced = SyncedTensor(SHAPE)
    values = np.arange(12, dtype=np.float32).reshape(SHAPE)
    synced.numpy()[...] = values
    held = synced.tensor(CPU, torch.bfloat16)
    assert held.dtype == torch.bfloat16
    assert held.is_contiguous(memory_format=torch.channels_last)
    synced.put(held * 2)
    assert synced.dtype == torch.bfloat16
    np.testing.assert_array_equal(synced.numpy(), values * 2)
    assert synced.numpy().flags["C_CONTIGUOUS"]
    assert synced.dtype == torch.float32


def test_the_engines_copy_is_kept_until_the_host_may_have_written():
    synced = SyncedTensor(SHAPE)
    synced.numpy()[...] = 1
    first = synced.tensor(CPU, torch.bfloat16)
    assert synced.tensor(CPU, torch.bfloat16) is first
    synced.numpy()[...] = 3
    assert (synced.tensor(CPU, torch.bfloat16) == 3).all()


def test_blank_until_something_is_written():
    synced = SyncedTensor(SHAPE)
    assert synced.blank
    view = synced.numpy()
    assert synced.blank
    view[0, 0, 0, 0] = 1
    assert not synced.blank
    synced.clear(SHAPE)
    assert synced.blank and not view.any()
    synced.put(torch.ones(SHAPE, dtype=torch.bfloat16))
    assert not synced.blank


writes = st.lists(
    st.tuples(
        st.sampled_from(["host", "engine", "half", "clear", "reshape", "read"]),
        st.integers(0, 5),
        st.integers(1, 100),
    ),
    max_size=12,
)


@given(writes)
def test_any_order_of_writes_and_reads(steps):
    """Compared with a plain array, on whole numbers that bfloat16 represents exactly."""
    synced, plain = SyncedTensor((6,)), np.zeros(6, np.float32)
    for what, place, value in steps:
        if what == "host":
            synced.numpy().reshape(-1)[place] = plain[place] = value
        elif what == "engine":
            plain = plain + 1
            synced.put(synced.tensor(CPU) + 1)
        elif what == "half":
            plain = plain + 1
            synced.put(synced.tensor(CPU, torch.bfloat16) + 1)
        elif what == "clear":
            plain = np.zeros(6, np.float32)
            synced.clear(synced.shape)
        elif what == "reshape":
            synced.reshape((2, 3) if synced.shape == (6,) else (6,))
        else:
            np.testing.assert_array_equal(synced.numpy().reshape(-1), plain)
    np.testing.assert_array_equal(synced.numpy().reshape(-1), plain)


NET = """
force_backward: true
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 2 dim: 3 dim: 9 dim: 11 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {
  num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
layer { name: "score" type: "Convolution" bottom: "pool" top: "score" convolution_param {
  num_output: 5 kernel_size: 1 weight_filler { type: "xavier" } } }
layer { name: "up" type: "Deconvolution" bottom: "score" top: "up" convolution_param {
  num_output: 5 group: 5 kernel_size: 4 stride: 2 bias_term: false
  weight_filler { type: "bilinear" } } }
"""


@pytest.fixture
def both(make_net):
    """Return [blobs and diffs of a pass in float32, those in bfloat16]."""
    caffe.set_random_seed(0)
    net = make_net(NET)
    net.blobs["data"].data[...] = np.random.default_rng(0).normal(size=(2, 3, 9, 11))
    passes = []
    for name in ("float32", "bfloat16"):
        caffe.set_precision(name)
        net.clear_param_diffs()
        net.forward()
        net.backward(up=np.ones(net.blobs["up"].shape))
        passes.append(
            {n: b.data.copy() for n, b in net.blobs.items()}
            | {f"d {n}": b.diff.copy() for n, b in net.blobs.items()}
            | {f"d {n} {i}": b.diff.copy() for n, p in net.params.items() for i, b in enumerate(p)}
        )
    return passes


def test_bfloat16_agrees_to_two_decimals(both):
    """In norm: if rounding moves a value across a ReLU's zero, its gradient jumps."""
    exact, rounded = both
    assert any((exact[name] != rounded[name]).any() for name in exact)
    for name in exact:
        assert rounded[name].dtype == np.float32
        apart = np.linalg.norm(rounded[name] - exact[name]) / np.linalg.norm(exact[name])
        assert apart < 0.02, name


def test_stages_in_bfloat16_see_what_the_host_writes(make_net):
    net = make_net(NET)
    caffe.set_precision("bfloat16")
    net.blobs["data"].data[...] = 1
    net.forward()
    held = net.blobs["pool"].data.copy()
    net.blobs["pool"].data[...] *= 2
    doubled = net.forward(start="score")["up"].copy()
    net.blobs["pool"].data[...] = held
    np.testing.assert_allclose(doubled, 2 * net.forward(start="score")["up"], rtol=0.02, atol=1e-3)


def test_unknown_precision():
    with pytest.raises(caffe.CaffeError, match="'float16'.*float32 or bfloat16"):
        caffe.set_precision("float16")


def test_a_reshape_to_the_very_shape_changes_nothing():
    synced = SyncedTensor(SHAPE)
    view = synced.numpy()
    view[...] = 1
    half = synced.tensor(CPU, torch.bfloat16)
    synced.reshape(SHAPE)
    assert synced.tensor(CPU, torch.bfloat16) is half
    synced.put(half * 2)
    synced.reshape(list(SHAPE))
    assert synced.dtype == torch.bfloat16  # the engine's is still the newest
    assert (synced.numpy() == 2).all() and (view == 2).all()


def test_a_result_put_after_another_leaves_the_other_as_it_was():
    """What backward keeps of an earlier run must not change; only views make put write in place."""
    synced, first, second = SyncedTensor(SHAPE), torch.ones(SHAPE), torch.full(SHAPE, 2.0)
    synced.put(first)
    assert not synced.viewed
    synced.put(second)
    assert not synced.viewed and (first == 1).all()
    assert (synced.numpy() == 2).all() and synced.viewed
