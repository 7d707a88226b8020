"""HDF5 weights: valid compressed files are read; zip bombs and links elsewhere are refused."""

import os
import time
import tracemalloc
import zlib

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import caffe
from caffe.errors import CaffeError, WeightsError

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 64 } } }
layer { name: "a/fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param {
  num_output: 32 bias_term: false weight_filler { type: "gaussian" std: 1 } } }
"""
VALUES = np.random.default_rng(0).normal(size=(32, 64)).astype(np.float32)


@pytest.fixture
def load(make_net, tmp_path):
    """load(write): a net's weights, loaded from the file that write(h5py.File) filled."""

    def load(write):
        with h5py.File(tmp_path / "w.caffemodel.h5", "w") as f:
            write(f)
        net = make_net(NET)
        net.copy_from(tmp_path / "w.caffemodel.h5")
        return net.params["a/fc"][0].data

    return load


@pytest.mark.parametrize(
    "options",
    [
        {},
        dict(chunks=(8, 8)),
        dict(compression="gzip"),
        dict(shuffle=True, compression="gzip"),
        dict(fletcher32=True, compression="gzip", chunks=(5, 7)),
        dict(fletcher32=True),
        dict(maxshape=(None, None), compression="gzip"),
        dict(dtype="f8", compression="gzip"),
        dict(dtype=">f4"),
        dict(dtype="f2"),
    ],
)
def test_valid_files(load, options):
    loaded = load(lambda f: f.create_dataset("data/a/fc/0", data=VALUES, **options))
    np.testing.assert_allclose(loaded, VALUES, rtol=1e-2 if options.get("dtype") == "f2" else 1e-7)


def bomb(f):
    """Write a chunk of 64 KB, for 8 KB of values, that inflates to 64 MB."""
    data = f.create_dataset(
        "data/a/fc/0", VALUES.shape, "f4", compression="gzip", chunks=VALUES.shape
    )
    squeeze = zlib.compressobj(9)
    packed = b"".join(squeeze.compress(bytes(2**24)) for _ in range(4)) + squeeze.flush()
    data.id.write_direct_chunk((0, 0), packed)


def small_bomb(f):
    data = f.create_dataset(
        "data/a/fc/0", VALUES.shape, "f4", compression="gzip", chunks=VALUES.shape
    )
    data.id.write_direct_chunk((0, 0), zlib.compress(bytes(8_000_000), 9))


def cut_chunk(f):
    data = f.create_dataset(
        "data/a/fc/0", VALUES.shape, "f4", compression="gzip", chunks=VALUES.shape
    )
    data.id.write_direct_chunk((0, 0), zlib.compress(bytes(100)))


def not_packed(f):
    data = f.create_dataset(
        "data/a/fc/0", VALUES.shape, "f4", compression="gzip", chunks=VALUES.shape
    )
    data.id.write_direct_chunk((0, 0), b"these are no packed bytes")


def virtual(f):
    layout = h5py.VirtualLayout(VALUES.shape, "f4")
    layout[...] = h5py.VirtualSource("elsewhere.h5", "x", VALUES.shape)
    f.create_virtual_dataset("data/a/fc/0", layout)


def one_member(name, value):
    def write(f):
        f[name] = value

    return write


HOSTILE = {
    "bomb": (bomb, "chunk of .* bytes for 8192"),
    "small bomb": (small_bomb, "does not inflate"),
    "cut chunk": (cut_chunk, "does not inflate"),
    "not packed": (not_packed, "cannot be inflated"),
    "huge chunks": (
        lambda f: f.create_dataset(
            "data/a/fc/0", VALUES.shape, "f4", chunks=(2**12, 2**12), maxshape=(None, None)
        ),
        "in chunks of",
    ),
    "another filter": (
        lambda f: f.create_dataset("data/a/fc/0", data=VALUES, compression="lzf"),
        "only gzip",
    ),
    "two passes": (
        lambda f: f.create_dataset("data/a/fc/0", data=VALUES, scaleoffset=3, compression="gzip"),
        "only gzip",
    ),
    "another file": (
        one_member("data/a/fc/0", h5py.ExternalLink("elsewhere.h5", "x")),
        "another file, elsewhere.h5",
    ),
    "group elsewhere": (one_member("data/a", h5py.ExternalLink("/dev/zero", "x")), "/dev/zero"),
    "all elsewhere": (one_member("data", h5py.ExternalLink("/dev/zero", "x")), "/dev/zero"),
    "virtual": (virtual, "values in another file"),
    "external": (
        lambda f: f.create_dataset(
            "data/a/fc/0", VALUES.shape, "f4", external=[("/dev/zero", 0, h5py.h5f.UNLIMITED)]
        ),
        "values in another file",
    ),
    "long words": (
        lambda f: f.create_dataset("data/a/fc/0", VALUES.shape, "S1000000000"),
        "not plain numbers",
    ),
    "pairs": (lambda f: f.create_dataset("data/a/fc/0", VALUES.shape, "c8"), "not plain numbers"),
    "a circle": (one_member("data", h5py.SoftLink("/data")), "more than 40 links"),
}


ELSEWHERE = h5py.ExternalLink("elsewhere.h5", "/data")
# Links of a file by their names: each leads to another file in the end.
INDIRECT = {
    "soft": {"x": ELSEWHERE, "data/a": h5py.SoftLink("/x/a")},
    "soft, relative": {"data/x": ELSEWHERE, "data/a": h5py.SoftLink("x/a")},
    "soft, twice": {"x": ELSEWHERE, "y": h5py.SoftLink("x"), "data": h5py.SoftLink("/./y//")},
    "soft, the values": {"x": ELSEWHERE, "data/a/fc/0": h5py.SoftLink("/x/a/fc/0")},
    "hard, to a group with one": {"g/fc": ELSEWHERE, "data/a": "g"},
    "soft, through a group": {"g/x": ELSEWHERE, "data/a": h5py.SoftLink("/g/x/a")},
}


@pytest.mark.parametrize("what", INDIRECT)
def test_links_that_lead_to_another_file(make_net, tmp_path, what):
    with h5py.File(tmp_path / "elsewhere.h5", "w") as f:
        f["data/a/fc/0"] = np.full_like(VALUES, 7)
    with h5py.File(tmp_path / "w.h5", "w") as f:
        for name, link in INDIRECT[what].items():
            f[name] = f[link] if isinstance(link, str) else link
    net = make_net(NET)
    before = net.params["a/fc"][0].data.copy()
    with pytest.raises(WeightsError, match="w.h5: .* is a link to another file, elsewhere.h5"):
        net.copy_from(tmp_path / "w.h5")
    np.testing.assert_array_equal(net.params["a/fc"][0].data, before)


def test_links_within_the_file_are_followed(make_net, tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as f:
        f["values/of/it"] = VALUES
        f["values/here"] = h5py.SoftLink("of/./it")
        f["one"] = h5py.SoftLink("values")
        f["data/a/fc/0"] = h5py.SoftLink("//one/here")
    net = make_net(NET, weights=tmp_path / "w.h5")
    np.testing.assert_array_equal(net.params["a/fc"][0].data, VALUES)


@pytest.mark.parametrize("target", ["/nowhere", "data/a/fc/0", "/values/of", "."])
def test_links_to_nothing_of_use(make_net, tmp_path, target):
    with h5py.File(tmp_path / "w.h5", "w") as f:
        f["values"] = VALUES
        f["data/a/fc/0"] = h5py.SoftLink(target)
    with pytest.raises(WeightsError, match="w.h5"):
        make_net(NET, weights=tmp_path / "w.h5")


def test_a_long_way_through_links_ends(make_net, tmp_path):
    """Each of 40 links has thousands of steps, through a group that holds itself."""
    with h5py.File(tmp_path / "w.h5", "w") as f:
        group = f.create_group("g")
        group["g"] = group
        for i in range(41):
            f[f"l{i}"] = h5py.SoftLink("/" + "g/" * 5000 + f"l{i + 1}")
            f[f"g/l{i + 1}"] = h5py.SoftLink(f"/l{i + 1}")
        f["data"] = h5py.SoftLink("/l0")
    start = time.process_time()
    with pytest.raises(WeightsError, match="through more than 40 links"):
        make_net(NET, weights=tmp_path / "w.h5")
    assert time.process_time() - start < 30


def test_a_shape_that_comes_from_a_pipe(make_net, tmp_path):
    """A virtual dataset without limit asks its source for its shape: this would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    with h5py.File(tmp_path / "w.h5", "w") as f:
        plist, endless = h5py.h5p.create(h5py.h5p.DATASET_CREATE), (h5py.h5s.UNLIMITED, 64)
        space, source = (h5py.h5s.create_simple((32, 64), endless) for _ in range(2))
        for it in (space, source):
            it.select_hyperslab((0, 0), (1, 1), (1, 1), endless)
        plist.set_layout(h5py.h5d.VIRTUAL)
        plist.set_virtual(space, str(tmp_path / "pipe").encode(), b"x", source)
        group = f.require_group("data/a/fc").id
        h5py.h5d.create(group, b"0", h5py.h5t.IEEE_F32LE, space, plist)
    with pytest.raises(WeightsError, match="/data/a/fc/0 has its values in another file"):
        make_net(NET, weights=tmp_path / "w.h5")


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files(load, what):
    write, words = HOSTILE[what]
    with pytest.raises(WeightsError, match=f"w.caffemodel.h5.*{words}"):
        load(write)


def test_a_bomb_takes_no_memory(load, make_net, tmp_path):
    with pytest.raises(WeightsError):
        load(small_bomb)
    net = make_net(NET)
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match="does not inflate"):
            net.copy_from(tmp_path / "w.caffemodel.h5")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@given(st.data())
def test_one_byte_changed(tmp_path_factory, data):
    """The net loads the weights or raises an error with the file's name."""
    path = tmp_path_factory.getbasetemp() / "byte.h5"
    definition = path.with_suffix(".prototxt")
    definition.write_text(NET.replace("64", "3"))
    net = caffe.Net(definition, caffe.TEST)
    net.save_hdf5(path)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    try:
        net.copy_from(path)
    except CaffeError as error:
        assert "byte.h5" in str(error)
    assert net.params["a/fc"][0].shape == (32, 3)
