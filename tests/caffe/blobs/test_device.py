"""The choice of device and precision, as PyTorch with two GPUs would see it; draws that repeat."""

import importlib.util

import numpy as np
import pytest
import torch
from google.protobuf import text_format

import caffe
from caffe.blobs import device
from caffe.blobs.fillers import fill
from caffe.errors import CaffeError, DeviceError
from caffe.proto import caffe_pb2


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    yield
    device.set_mode_cpu()
    device._gpu["index"] = 0
    torch.backends.cudnn.allow_tf32 = True


def test_float32_is_not_rounded_on_a_gpu(two_gpus):
    assert torch.backends.cudnn.allow_tf32
    caffe.set_mode_gpu()
    assert not torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = True  # the choice of the user stays
    caffe.set_device(1)
    assert torch.backends.cudnn.allow_tf32


def test_a_fresh_process_computes_on_the_cpu_in_float32():
    spec = importlib.util.spec_from_file_location("fresh_device", device.__file__)
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert fresh.device() == torch.device("cpu") and fresh.precision() == torch.float32
    assert fresh._gpu["index"] == 0


def test_modes_and_devices(two_gpus):
    caffe.set_mode_gpu()
    assert device.device() == torch.device("cuda", 0)
    caffe.set_device(1)
    assert device.device() == torch.device("cuda", 1)
    caffe.set_mode_cpu()
    assert device.device() == torch.device("cpu")
    caffe.set_mode_gpu()  # the device chosen stays
    assert device.device() == torch.device("cuda", 1)
    caffe.set_device(0)
    assert device.device() == torch.device("cuda", 0)
    for index in (-1, 2):
        with pytest.raises(DeviceError, match=rf"^GPU {index} was requested.* sees 2 CUDA device"):
            caffe.set_device(index)
    assert device.device() == torch.device("cuda", 0)


def test_without_a_gpu_there_is_none_to_choose(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)  # a driver that does not work
    for choose in (caffe.set_mode_gpu, lambda: caffe.set_device(0)):
        with pytest.raises(DeviceError, match="^GPU 0 was requested.* sees 0 CUDA device"):
            choose()
    assert device.device() == torch.device("cpu")


def test_synchronize_waits_for_the_device_in_use(two_gpus, monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    device.synchronize()
    assert waited == []
    caffe.set_device(1)
    caffe.set_mode_gpu()
    device.synchronize()
    assert waited == [torch.device("cuda", 1)]


RANDOM = (
    'type: "uniform"',
    'type: "gaussian"',
    'type: "gaussian" sparse: 2',
    'type: "xavier"',
    'type: "msra"',
    'type: "positive_unitball"',
)


@pytest.mark.parametrize("text", RANDOM)
def test_fillers_repeat_with_the_seed_and_leave_torchs_own_draws_alone(text):
    filler, made = text_format.Parse(text, caffe_pb2.FillerParameter()), []
    torch.manual_seed(7)
    before = torch.get_rng_state()
    for seed in (3, 3, 4):
        caffe.set_random_seed(seed)
        made.append(fill(filler, (8, 9), "layer").numpy())
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[0] != made[2]).any()
    assert torch.equal(torch.get_rng_state(), before)


def test_uniform_between_a_value_and_itself():
    filler = text_format.Parse('type: "uniform" min: 2.5 max: 2.5', caffe_pb2.FillerParameter())
    assert fill(filler, (2, 3), "layer").tolist() == [[2.5] * 3] * 2


@pytest.mark.parametrize("seed", [1.5, "1", None, 2**64, -(2**63) - 1, float("nan"), float("inf")])
def test_seeds_that_are_none(seed):
    """They were accepted, and the next net that draws a number failed."""
    with pytest.raises(CaffeError, match="no whole number of up to 64 bits"):
        caffe.set_random_seed(seed)


@pytest.mark.parametrize("seed", [-(2**63), -1, 0, 3.0, 2**64 - 1])
def test_seeds_of_64_bits(seed):
    draws = []
    for _ in range(2):
        caffe.set_random_seed(seed)
        draws.append(torch.rand(4, generator=device.generator()).tolist())
    assert draws[0] == draws[1]


@pytest.mark.parametrize("index", ["x", None, float("inf")])
def test_devices_that_are_no_number(index):
    with pytest.raises(DeviceError, match="give the number of one"):
        caffe.set_device(index)
