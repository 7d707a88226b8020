"""A load that is interrupted, or fails late, leaves all weights as they were, or loads all."""

import os
import signal
import sys
import threading

import h5py
import numpy as np
import pytest
import torch

from caffe.errors import CaffeError, WeightsError
from caffe.weights import all_or_none
from caffe.weights.interrupts import held_back

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "a" type: "InnerProduct" bottom: "data" top: "a"
  inner_product_param { num_output: 2 } }
layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" inner_product_param { num_output: 4 } }
layer { name: "c" type: "InnerProduct" bottom: "b" top: "c" inner_product_param { num_output: 3 } }
"""
FILES = "all_or_none.py", "caffemodel.py", "hdf5.py", "state_dict.py", "stored_blobs.py"


def fill(net, value):
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = value


def values(net):
    return {v for blobs in net.params.values() for b in blobs for v in np.unique(b.data).tolist()}


@pytest.fixture(params=["caffemodel", "h5", "pth"])
def load(request, make_net, tmp_path):
    """Return (net full of zeros, function that loads ones into it)."""
    net, path = make_net(NET), str(tmp_path / f"ones.{request.param}")
    fill(net, 1)
    if request.param == "pth":
        torch.save(net.state_dict(), path)
    else:
        (net.save if request.param == "caffemodel" else net.save_hdf5)(path)
    fill(net, 0)
    method = net.load_state_dict if request.param == "pth" else net.copy_from
    return net, lambda: method(path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeoutError])
def test_an_exception_from_outside_at_any_line(load, error):
    net, run = load
    seen, k, left = set(), 0, 0

    def trace(frame, event, argument):
        nonlocal left
        if not frame.f_code.co_filename.endswith(FILES):
            return None
        if event == "line":
            left -= 1
            if not left:
                raise error
        return trace

    while left <= 0:
        k += 1 + 4 * (k > 60)  # most lines of a state dict are before the values
        left = k
        fill(net, 0)
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            run()
        except (error, CaffeError):
            pass
        finally:
            sys.settrace(before)
            torch.set_grad_enabled(True)  # it may have come before the end of a no_grad
        assert values(net) in ({0}, {1}), f"line {k}"
        seen |= values(net)
    assert seen == {0, 1} and k > 30


def test_ctrl_c_while_values_are_copied(load, monkeypatch):
    """A real signal: it comes with the second blob, twice, and takes effect after the last."""
    net, run = load
    blob = list(net.params.values())[0][1]
    kind, signals = type(blob), 2

    def data(self):
        nonlocal signals
        if self is blob and signals and sys._getframe(1).f_code.co_name == "put_all":
            signals -= 1
            os.kill(os.getpid(), signal.SIGINT)
        return self.synced_data.numpy()

    monkeypatch.setattr(kind, "data", property(data))
    with pytest.raises(KeyboardInterrupt):
        run()
    monkeypatch.undo()
    assert values(net) == {1} and not signals


def test_a_dataset_that_is_damaged_after_others(make_net, tmp_path):
    """Its checksum is found to be wrong only when its values are read."""
    net, path = make_net(NET), tmp_path / "w.h5"
    fill(net, 0)
    with h5py.File(path, "w") as f:
        for name, blobs in net.params.items():
            for i, blob in enumerate(blobs):
                f.create_dataset(
                    f"data/{name}/{i}", data=np.ones(blob.shape, "f4"), fletcher32=True
                )
        chunk = f["data/c/1"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset] ^= 255
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="w.h5 is damaged"):
        net.copy_from(path)
    assert values(net) == {0}


@pytest.mark.parametrize("method", ["save", "save_hdf5"])
def test_no_memory_for_the_values(make_net, tmp_path, monkeypatch, method):
    net, path = make_net(NET), str(tmp_path / "ones")
    fill(net, 1)
    getattr(net, method)(path)
    fill(net, 0)

    def no_memory(*args):
        raise MemoryError

    monkeypatch.setattr(all_or_none.np, "empty", no_memory)
    with pytest.raises(WeightsError, match="ones.*memory ran out"):
        net.copy_from(path)
    monkeypatch.undo()
    assert values(net) == {0}


def test_ctrl_c_waits():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        os.kill(os.getpid(), signal.SIGINT)
        done.append(1)
    assert done == [1]
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_another_thread_has_no_interrupts_to_hold_back():
    done = []

    def work():
        with held_back():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.getsignal(signal.SIGINT)]
