"""HDF5Data and HDF5Output: rows across files, in order and shuffled; round trips; damage."""

import os

import h5py
import numpy as np
import pytest

import caffe
from caffe.errors import CaffeError, DataError, LayerError, ShapeMismatch
from caffe.layer_types.data import hdf5_rows


def hdf5_layer(source, batch=1, tops=("data",), data="", more=""):
    tops = " ".join(f'top: "{top}"' for top in tops)
    return (
        f'layer {{ name: "data" type: "HDF5Data" {tops} {more} '
        f'hdf5_data_param {{ source: "{source}" batch_size: {batch} {data} }} }}'
    )


def files(folder, *sizes, **datasets):
    """Write 0.h5, 1.h5, ... with these numbers of rows: `data` 2 x 3, `label` a running number."""
    start, paths = 0, []
    for i, n in enumerate(sizes):
        paths.append(folder / f"{i}.h5")
        label = np.arange(start, start + n)
        with h5py.File(paths[-1], "w") as f:
            f["data"] = label[:, None, None] * np.ones((1, 2, 3)) + np.arange(3) / 8
            f["label"] = label
            for name, value in datasets.items():
                f[name] = value
        start += n
    return paths


@pytest.fixture
def hdf5_net(make_net, tmp_path):
    """Return hdf5_net(paths or text of the list, ...): a Net with one HDF5Data layer."""

    def hdf5_net(paths, batch=2, tops=("data", "label"), data="", more="", phase=caffe.TRAIN):
        source = tmp_path / "list.txt"
        source.write_text(paths if isinstance(paths, str) else "".join(f"{p}\n" for p in paths))
        return make_net(hdf5_layer(source, batch, tops, data, more), phase)

    return hdf5_net


def check_rows(out):
    np.testing.assert_array_equal(
        out["data"], out["label"][:, None, None] + np.ones((1, 2, 1)) * np.arange(3) / 8
    )


def test_rows_of_all_files_in_order_and_wrap_around(hdf5_net, tmp_path):
    net = hdf5_net(files(tmp_path, 5, 3), batch=4)
    assert net.blobs["data"].shape == (4, 2, 3) and net.blobs["label"].shape == (4,)
    for wanted in ([0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3]):
        out = net.forward()
        np.testing.assert_array_equal(out["label"], wanted)
        check_rows(out)


def test_a_batch_larger_than_all_files(hdf5_net, tmp_path):
    net = hdf5_net(files(tmp_path, 2, 1), batch=7)
    np.testing.assert_array_equal(net.forward()["label"], [0, 1, 2, 0, 1, 2, 0])
    np.testing.assert_array_equal(net.forward()["label"], [1, 2, 0, 1, 2, 0, 1])


@pytest.mark.parametrize("options", [{}, dict(compression="gzip", chunks=(3, 1))])
def test_any_number_of_tops_of_any_dtype(hdf5_net, tmp_path, options):
    rng = np.random.default_rng(0)
    values = {
        "a": rng.normal(size=(6, 2)),
        "b": rng.integers(-9, 9, (6, 4), np.int8),
        "c": rng.normal(size=(6, 2)).astype(np.float16),
        "d": rng.normal(size=(6, 5, 1, 1, 2)),
    }
    with h5py.File(tmp_path / "x.h5", "w") as f:
        for name, value in values.items():
            f.create_dataset(name, data=value, **(options if value.ndim == 2 else {}))
    net = hdf5_net([tmp_path / "x.h5"], batch=6, tops=("d", "b", "a", "c"))
    for name, got in net.forward().items():
        np.testing.assert_array_equal(got, values[name].astype(np.float32))


@pytest.mark.parametrize("sizes", [(9,), (4, 3, 5)])
def test_shuffling_shows_each_row_once_per_epoch(hdf5_net, tmp_path, sizes):
    paths, n = files(tmp_path, *sizes), sum(sizes)

    def epochs(seed):
        caffe.set_random_seed(seed)
        net, seen = hdf5_net(paths, batch=3, data="shuffle: true"), []
        for _ in range(n):
            out = net.forward()
            check_rows(out)
            seen.extend(out["label"].astype(int).tolist())
        return [seen[k : k + n] for k in range(0, 3 * n, n)]

    first = epochs(0)
    assert all(sorted(epoch) == list(range(n)) for epoch in first)
    assert first[0] != first[1] != first[2] and first[0] != list(range(n))
    assert epochs(0) == first and epochs(1) != first
    if len(sizes) > 1:  # whole files, one after the other
        ends = np.cumsum(sizes)
        turns = [[int(np.searchsorted(ends, row, "right")) for row in epoch] for epoch in first]
        assert all(sum(a != b for a, b in zip(t, t[1:])) == len(sizes) - 1 for t in turns)
        assert len({tuple(dict.fromkeys(t)) for t in turns}) > 1 or epochs(5)[0] != first[0]


def test_memory_depends_on_the_batch_not_on_the_file(hdf5_net, tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as f:  # 4 TB by its shape, nothing is stored
        f.create_dataset("data", (2**30, 1024), "f4", fillvalue=5)
    net = hdf5_net([tmp_path / "x.h5"], tops=["data"])
    assert (net.forward()["data"] == np.full((2, 1024), 5)).all()
    with pytest.raises(DataError, match="too many to shuffle"):
        hdf5_net([tmp_path / "x.h5"], tops=["data"], data="shuffle: true").forward()
    with pytest.raises(ShapeMismatch, match="make it smaller"):
        hdf5_net([tmp_path / "x.h5"], tops=["data"], batch=2**30)


def test_a_small_file_that_claims_many_rows(hdf5_net, tmp_path):
    """Their order would take a gigabyte, for a file of two kilobytes."""
    with h5py.File(tmp_path / "x.h5", "w") as f:
        f.create_dataset("data", (2**26, 1), "f4")
    assert hdf5_net([tmp_path / "x.h5"], tops=["data"]).forward()["data"].shape == (2, 1)
    with pytest.raises(DataError, match="x.h5: has 67108864 rows, too many to shuffle"):
        hdf5_net([tmp_path / "x.h5"], tops=["data"], data="shuffle: true").forward()


def test_no_memory_for_a_batch(hdf5_net, tmp_path, monkeypatch):
    """The system would kill the process, had it begun to fill the rows."""
    with h5py.File(tmp_path / "x.h5", "w") as f:
        f.create_dataset("data", (2, 2**27), "f4")
    net = hdf5_net([tmp_path / "x.h5"], tops=["data"])
    monkeypatch.setattr("caffe.blobs.memory.available", lambda: 2**29)
    with pytest.raises(CaffeError, match="1.0 GiB of memory, and 0.5 are left"):
        net.forward()


def test_no_file_stays_open(hdf5_net, tmp_path):
    paths = files(tmp_path, 3)
    net = hdf5_net(paths, batch=1)
    net.forward()
    with h5py.File(paths[0], "r+") as f:
        f["label"][1] = 70
    assert net.forward()["label"] == 70


def refuse(hdf5_net, paths, words, **kwargs):
    with pytest.raises(DataError, match=r"layer 'data' \(HDF5Data\): .*" + words):
        net = hdf5_net(paths, **kwargs)
        for _ in range(4):
            net.forward()


def test_datasets_that_do_not_fit(hdf5_net, tmp_path):
    def other(name, **datasets):
        with h5py.File(tmp_path / name, "w") as f:
            for key, value in datasets.items():
                f[key] = value
        return tmp_path / name

    (good,) = files(tmp_path, 3)
    refuse(
        hdf5_net,
        [good],
        "0.h5: dataset 'depth' is not there .*: the file has data label",
        tops=["depth"],
    )
    refuse(
        hdf5_net,
        [other("a", data=np.ones((3, 2)), label=np.ones(4))],
        "a: its datasets have 'data' 3, 'label' 4 rows",
    )
    refuse(hdf5_net, [other("b", data=np.ones((0, 2)), label=np.ones(0))], "'data' 0, 'label' 0")
    refuse(hdf5_net, [other("c", data=1.0, label=1.0)], "c: dataset .data. is a single value")
    refuse(hdf5_net, [other("d", data=[b"ab", b"cd"], label=[1, 2])], "d: /data holds object")
    refuse(hdf5_net, [other("e", data=h5py.Empty("f4"))], "rows of numbers", tops=["data"])
    refuse(
        hdf5_net,
        [good, other("f", data=np.ones((3, 2, 4)), label=np.ones(3))],
        r"f: dataset 'data' has rows of shape \(2, 4\), the files before it \(2, 3\)",
    )
    with h5py.File(tmp_path / "g", "w") as f:
        f.create_group("data")
    refuse(hdf5_net, [tmp_path / "g"], "dataset .data. is not there", tops=["data"])


def test_values_in_other_files_are_refused(hdf5_net, tmp_path):
    (good,) = files(tmp_path, 3)
    (tmp_path / "secret").write_bytes(b"x" * 24)
    with h5py.File(tmp_path / "x", "w") as f:
        f["link"] = h5py.ExternalLink(str(good), "data")
        f["within/link"] = h5py.ExternalLink(str(good), "/")
        f.create_dataset("raw", (3, 2), "f4", external=[(str(tmp_path / "secret"), 0, 24)])
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(str(good), "label", (3,))
        f.create_virtual_dataset("virtual", layout)
        f["here"] = np.ones((3, 1))
        f["soft"] = h5py.SoftLink("/here")
        f["indirect"] = h5py.SoftLink("link")
        f["way"] = h5py.SoftLink("/within/link/data")
    for name in ("link", "within/link/data", "raw", "virtual", "indirect", "way"):
        refuse(hdf5_net, [tmp_path / "x"], "other? ?file", tops=[name])
    hdf5_net([tmp_path / "x"], tops=["soft"]).forward()


def test_chunks_are_checked_once_per_file_and_again_when_it_changes(
    hdf5_net, tmp_path, monkeypatch
):
    seen = []
    check = hdf5_rows.check_dataset
    monkeypatch.setattr(hdf5_rows, "check_dataset", lambda d: (seen.append(d.name), check(d)))
    path = tmp_path / "x"

    def write(chunks, times):
        with h5py.File(path, "w") as f:
            f.create_dataset("data", data=np.ones((40, 40)), chunks=chunks, compression="gzip")
        os.utime(path, ns=(times, times))

    write((10, 10), 1)
    net = hdf5_net([path], tops=["data"], batch=30)
    for _ in range(3):
        net.forward()
    assert seen == ["/data"]
    with h5py.File(path, "w") as f:
        f.create_dataset(
            "data", (40, 40), "f4", maxshape=(None, None), chunks=(9000, 9000), compression="gzip"
        )
    with pytest.raises(DataError, match="x: /data of shape .* lies in chunks of"):
        net.forward()


def test_sources_that_are_not_lists(hdf5_net, make_net, tmp_path):
    (good,) = files(tmp_path, 3)
    (tmp_path / "text").write_text("no HDF5")
    (tmp_path / "short").write_bytes(good.read_bytes()[:1000])
    refuse(hdf5_net, "none.h5", "none.h5: no such HDF5 file")
    refuse(hdf5_net, str(tmp_path / "text"), "text is not an HDF5 file, or damaged")
    refuse(hdf5_net, str(tmp_path / "short"), "short is not an HDF5 file, or damaged")
    refuse(hdf5_net, " \n", "only blank lines")
    for source, words in [
        (good, "0.h5 is a binary file: the source should be a list of HDF5"),
        (tmp_path, "is a folder"),
        (tmp_path / "none", "no such list"),
    ]:
        with pytest.raises(DataError, match=words):
            make_net(hdf5_layer(source))


def test_parameters_that_do_not_fit(hdf5_net, tmp_path):
    paths = files(tmp_path, 3)
    with pytest.raises(LayerError, match="not transformed: remove transform_param"):
        hdf5_net(paths, more="transform_param { scale: 2 }")
    with pytest.raises(LayerError, match="batch_size is 0"):
        hdf5_net(paths, batch=0)


@pytest.mark.parametrize("seed", range(40))
def test_damage_raises_only_named_exceptions(hdf5_net, tmp_path, seed):
    (path,) = files(tmp_path, 6)
    rng, content = np.random.default_rng(seed), bytearray(path.read_bytes())
    for k in rng.integers(min(len(content), 3000), size=1 + seed % 4):
        content[k] = rng.integers(256)
    path.write_bytes(content)
    try:
        net = hdf5_net([path], batch=4)
        for _ in range(3):
            assert net.forward()["data"].shape[0] == 4
    except (DataError, ShapeMismatch) as e:
        assert "layer 'data' (HDF5Data)" in str(e)


def output_layer(path):
    return (
        'layer { name: "out" type: "HDF5Output" bottom: "in0" bottom: "in1" '
        f'hdf5_output_param {{ file_name: "{path}" }} }}'
    )


INPUTS = """
layer { name: "in0" type: "Input" top: "in0" input_param { shape { dim: 2 dim: 3 dim: 1 } } }
layer { name: "in1" type: "Input" top: "in1" input_param { shape { dim: 2 } } }"""


def test_what_is_written_can_be_read(make_net, hdf5_net, tmp_path):
    path = tmp_path / "out.h5"
    path.write_text("something else")
    net = make_net(INPUTS + output_layer(path))
    assert path.read_text() == "something else"  # building a net overwrites nothing
    rng = np.random.default_rng(0)
    data, label = rng.normal(size=(6, 3, 1)).astype(np.float32), np.arange(6.0)
    for k in (0, 2, 4):
        assert net.forward(in0=data[k : k + 2], in1=label[k : k + 2]) == {}
    with h5py.File(path) as f:
        np.testing.assert_array_equal(f["data"], data)
        np.testing.assert_array_equal(f["label"], label)
    out = hdf5_net([path], batch=6).forward()
    np.testing.assert_array_equal(out["data"], data)
    net = make_net(INPUTS + output_layer(path))
    net.forward(in0=data[:2], in1=label[:2])
    with h5py.File(path) as f:
        assert f["data"].shape == (2, 3, 1)


def test_what_cannot_be_written(make_net, tmp_path):
    for path in ("", tmp_path, tmp_path / "none" / "x.h5"):
        with pytest.raises(DataError, match=r"layer 'out' \(HDF5Output\): .*a folder that exists"):
            make_net(INPUTS + output_layer(path))
    net = make_net(INPUTS + output_layer(tmp_path / "x.h5"))
    net.blobs["in1"].reshape(3)
    with pytest.raises(ShapeMismatch, match="same number of rows"):
        net.forward()
    net.blobs["in1"].reshape(2)
    net.forward()
    net.blobs["in0"].reshape(2, 4, 1)
    with pytest.raises(DataError, match="x.h5 cannot be written: dataset .data. has rows of shape"):
        net.forward()


def test_data_layers_of_the_second_generation(make_net, tmp_path):
    (tmp_path / "list").write_text(str(files(tmp_path, 3)[0]))
    net = make_net(
        'layers { name: "d" type: HDF5_DATA top: "label" hdf5_data_param { '
        f'source: "{tmp_path / "list"}" batch_size: 2 }} }}'
    )
    np.testing.assert_array_equal(net.forward()["label"], [0, 1])
