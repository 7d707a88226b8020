"""HDF5 files are laid out in memory: they read as usual, and a full disk harms nothing."""

import io
import os
import threading

import h5py
import numpy as np
import pytest

import caffe
from caffe.errors import WeightsError
from caffe.weights.hdf5_writer import PAGE, Pages, layout
from tests.caffe.children import in_child, limit_files

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 40 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 50 weight_filler { type: "gaussian" std: 1 } } }
"""


@pytest.mark.parametrize("seed", range(20))
def test_pages_are_a_file(seed):
    """The same calls as on a file of the standard library, in any order."""
    rng, mine, other = np.random.default_rng(seed), Pages(), io.BytesIO()
    for _ in range(60):
        at, count = (int(n) for n in rng.integers(0, 3 * PAGE, 2))
        for file in (mine, other):
            file.seek(at)
        if rng.integers(2):
            content = rng.bytes(count)
            assert mine.write(content) == other.write(content)
        else:
            assert mine.read(count) == other.read(count)
        assert mine.tell() == other.tell()
        assert mine.seek(0, io.SEEK_END) == other.seek(0, io.SEEK_END)
    whole = io.BytesIO()
    mine.copy_to(whole)
    assert whole.getvalue() == other.getvalue()


def test_what_is_laid_out_is_read(tmp_path):
    arrays = {
        "a/b/0": np.random.default_rng(0).normal(size=(70, 90)).astype("f4"),
        "a/b/1": np.arange(3, dtype="f4"),
        "a/2": np.float32(7) * np.ones(()),
        "none": np.empty((0, 4), "f4"),
        "turned": np.arange(6, dtype="f4").reshape(2, 3).T,
    }
    with layout() as made:
        made.file["text"] = np.array(b"abc", "S4")
        made.file["numbers"] = np.arange(3000)
        for name, array in arrays.items():
            made.add(name, array)
    made.write_to(tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5") as f:
        for name, array in arrays.items():
            assert f[name].dtype == "<f4"
            np.testing.assert_array_equal(f[name][()], array)
        assert f["text"][()] == b"abc"
        np.testing.assert_array_equal(f["numbers"], np.arange(3000))
    size = sum(array.nbytes for array in arrays.values()) + 24000
    assert (tmp_path / "x.h5").stat().st_size < size + 8000


def test_values_take_no_memory(tmp_path):
    """Only what HDF5 says about them does: a page or two."""
    with layout() as made:
        made.add("x", np.broadcast_to(np.float32(1), (2**15, 2**15)))  # 4 GiB, but one number
    assert len(made.pages._pages) < 4 and made.pages.size > 2**32


@pytest.mark.parametrize("step", [199, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("method", ["save", "save_hdf5"])
def test_a_disk_that_is_full_at_any_byte(make_net, tmp_path, method, step):
    net, path = make_net(NET), str(tmp_path / "w")
    getattr(net, method)(path)
    size = os.path.getsize(path)

    def limited(limit):
        def function(acknowledge):
            limit_files(limit)
            try:
                getattr(net, method)(path)
            except WeightsError as e:
                assert "w: cannot be written: " in str(e)
                acknowledge(1)

        return function

    for limit in [*range(0, size, step), size - 1, size]:
        with open(path, "wb") as f:
            f.write(b"old")
        assert in_child(limited(limit)) == (0, limit < size), limit
        assert [p for p in os.listdir(tmp_path) if "part" in p] == []
        if limit < size:
            with open(path, "rb") as f:
                assert f.read() == b"old"
    make_net(NET, weights=path)


@pytest.mark.parametrize("method", ["save", "save_hdf5"])
def test_two_threads_that_save_to_one_path(make_net, tmp_path, method):
    """Readers find one of the two files, whole, at every moment."""
    nets, reader, path = [make_net(NET) for _ in range(2)], make_net(NET), str(tmp_path / "w")
    for value, net in enumerate(nets, 1):
        for blob in net.params["fc"]:
            blob.data[...] = value
    getattr(nets[0], method)(path)
    stop, errors = threading.Event(), []

    def save(net):
        try:
            while not stop.is_set():
                getattr(net, method)(path)
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=save, args=[net]) for net in nets]
    for thread in threads:
        thread.start()
    try:
        for _ in range(60):
            reader.copy_from(path)
            found = {v for blob in reader.params["fc"] for v in np.unique(blob.data).tolist()}
            assert found in ({1}, {2})
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors
    assert [p for p in os.listdir(tmp_path) if "part" in p] == []


def layer(name, bottom, top):
    return (
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{top}" '
        'inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 1 } } }\n'
    )


def net_of(make_net, *names):
    text = 'layer { name: "in" type: "Input" top: "0" input_param { shape { dim: 1 dim: 2 } } }\n'
    return make_net(text + "".join(layer(n, i, i + 1) for i, n in enumerate(names)))


@pytest.mark.parametrize(
    "names, words",
    [
        (["/"], "layer '/' cannot be"),
        (["."], "layer '.' cannot be"),
        (["x", "./."], "layer './.' cannot be"),
        (["a\\000b"], "cannot be a group's name"),
        (["x", "x/0"], "'x/0' would be a blob of layer 'x' and a group for layer 'x/0'"),
        (["x/1/y", "x"], "'x/1' would be a blob of layer 'x' and a group for layer 'x/1/y'"),
        (["x//y", "x/y"], "layers 'x//y' and 'x/y' are one group"),
    ],
)
def test_names_that_hdf5_cannot_hold(make_net, tmp_path, names, words):
    net, path = net_of(make_net, *names), tmp_path / "w.h5"
    with pytest.raises(WeightsError, match=f"w.h5: .*{words}.*rename a layer, or save a .caffe"):
        net.save_hdf5(path)
    assert not path.exists()
    net_of(make_net, "other").save_hdf5(path)
    try:
        net.copy_from(path)  # has nothing for it
    except caffe.errors.CaffeError:
        pass


@pytest.mark.parametrize(
    "names", [["x", "x/2"], ["x/2", "x"], ["/x"], ["x//y"], ["..", "a/../b"], ["0", "1"], ["é/ü"]]
)
def test_unusual_names_that_it_can(make_net, tmp_path, names):
    net, path = net_of(make_net, *names), tmp_path / "w.h5"
    net.save_hdf5(path)
    other = net_of(make_net, *names)
    other.copy_from(path)
    for name in names:
        for mine, loaded in zip(net.params[name], other.params[name], strict=True):
            np.testing.assert_array_equal(mine.data, loaded.data)
