"""Weights files: round trips, missing and extra layers, and all kinds of bad files."""

import h5py
import numpy as np
import pytest

import caffe
from caffe.errors import CaffeError, ShapeMismatch, WeightsError
from caffe.proto import caffe_pb2

NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 4 dim: 6 dim: 6 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {
  num_output: 4 kernel_size: 3 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "up" type: "Deconvolution" bottom: "conv" top: "up" convolution_param {
  num_output: 4 GROUP kernel_size: 4 stride: 2 bias_term: false
  weight_filler { type: "gaussian" std: 1 } } }
"""
PLAIN, GROUPED = NET.replace("GROUP", ""), NET.replace("GROUP", "group: 4")
ENDINGS = (".caffemodel", ".caffemodel.h5")


def save(net, path):
    (net.save_hdf5 if path.name.endswith(".h5") else net.save)(path)


def contents(net):
    return {
        (name, i): blob.data.copy()
        for name, blobs in net.params.items()
        for i, blob in enumerate(blobs)
    }


def same(net, other):
    mine, theirs = contents(net), contents(other)
    return mine.keys() == theirs.keys() and all(np.array_equal(mine[k], theirs[k]) for k in mine)


@pytest.fixture(params=ENDINGS)
def saved(request, make_net, tmp_path):
    """Return (net, path of its weights), in either format."""
    net, path = make_net(PLAIN), tmp_path / ("net" + request.param)
    for blobs in net.params.values():
        blobs[-1].data[...] += 0.5
    save(net, path)
    return net, path


def test_round_trip(saved, make_net):
    net, path = saved
    other = make_net(PLAIN)
    assert not same(net, other)
    other.copy_from(path)
    assert same(net, other)
    assert same(net, make_net(PLAIN, weights=str(path)))


def test_load_hdf5_is_copy_from(make_net, tmp_path):
    net, other = make_net(PLAIN), make_net(PLAIN)
    net.save_hdf5(str(tmp_path / "w.h5"))
    other.load_hdf5(str(tmp_path / "w.h5"))
    assert same(net, other)


def test_the_format_is_found_by_content_not_by_name(make_net, tmp_path):
    net, other = make_net(PLAIN), make_net(PLAIN)
    net.save_hdf5(tmp_path / "w.caffemodel")
    other.copy_from(tmp_path / "w.caffemodel")
    assert same(net, other)


def test_loading_keeps_views_and_the_shape_of_the_net(saved, make_net):
    net, path = saved
    other = make_net(PLAIN)
    view = other.params["conv"][0].data
    other.copy_from(path)
    np.testing.assert_array_equal(view, net.params["conv"][0].data)


def test_saved_twice_is_the_same_and_leaves_no_other_file(saved):
    net, path = saved
    first = path.read_bytes()
    save(net, path)
    if path.suffix != ".h5":  # HDF5 files carry times
        assert path.read_bytes() == first
    assert [p for p in path.parent.iterdir() if "part" in p.name] == []


def test_content_of_the_files(saved):
    net, path = saved
    if path.suffix == ".h5":
        with h5py.File(path) as f:
            assert sorted(f["data"]) == ["conv", "up"] and f["data/conv/1"].shape == (4,)
            assert f["data/conv/0"].dtype == np.float32
        return
    param = caffe_pb2.NetParameter.FromString(path.read_bytes())
    assert [(x.name, x.type, len(x.blobs)) for x in param.layer] == [
        ("data", "Input", 0),
        ("conv", "Convolution", 2),
        ("up", "Deconvolution", 1),
    ]
    assert list(param.layer[1].blobs[0].shape.dim) == [4, 4, 3, 3]
    assert list(param.layer[1].bottom) == ["data"]


def test_layers_absent_from_the_file_keep_their_values(saved, make_net):
    net, path = saved
    more = make_net(PLAIN.replace('name: "up"', 'name: "renamed"'))
    kept = more.params["renamed"][0].data.copy()
    more.copy_from(path)
    np.testing.assert_array_equal(more.params["renamed"][0].data, kept)
    np.testing.assert_array_equal(more.params["conv"][0].data, net.params["conv"][0].data)


def test_layers_unknown_to_the_net_are_ignored(saved, make_net):
    net, path = saved
    less = make_net(PLAIN[: PLAIN.index('layer { name: "up"')])
    less.copy_from(path)
    np.testing.assert_array_equal(less.params["conv"][0].data, net.params["conv"][0].data)


@pytest.mark.parametrize(
    "change, words",
    [
        (
            lambda t: t.replace("num_output: 4  kernel", "num_output: 4 group: 4 kernel"),
            r"'up', blob 0: shape \(4, 4, 4, 4\) in the file, \(4, 1, 4, 4\) in the net: "
            ".*net is group",
        ),
        (
            lambda t: t.replace("num_output: 4 kernel", "num_output: 5 kernel", 1),
            r"'conv', blob 0: shape \(4, 4, 3, 3\) in the file, \(5, 4, 3, 3\).*num_output",
        ),
        (lambda t: t.replace("kernel_size: 3", "kernel_size: 2"), r"'conv'.*kernel_size"),
        (lambda t: t.replace("dim: 4 dim: 6", "dim: 3 dim: 6"), r"'conv'.*other channels"),
    ],
)
def test_other_shapes_are_refused_with_the_cause_and_nothing_is_copied(
    saved, make_net, change, words
):
    net, path = saved
    other = make_net(change(PLAIN))
    before = contents(other)
    with pytest.raises(ShapeMismatch, match=f"{path.name}: layer {words}"):
        other.copy_from(path)
    for k, values in contents(other).items():
        np.testing.assert_array_equal(values, before[k])


def test_a_grouped_file_for_a_full_net(make_net, tmp_path):
    make_net(GROUPED).save(tmp_path / "w.caffemodel")
    with pytest.raises(ShapeMismatch, match="'up'.*the file is grouped"):
        make_net(PLAIN).copy_from(tmp_path / "w.caffemodel")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("swap", [False, True])
def test_another_number_of_blobs(make_net, tmp_path, ending, swap):
    texts = [PLAIN, PLAIN.replace("bias_term: false", "bias_term: true")]
    net, other = (make_net(t) for t in (reversed(texts) if swap else texts))
    save(net, tmp_path / ("w" + ending))
    with pytest.raises(
        WeightsError,
        match=f"'up' has {1 + swap} blobs in the file, {2 - swap} in the net: bias_term",
    ):
        other.copy_from(tmp_path / ("w" + ending))


def damaged(content, kind):
    return {
        "truncated": content[: len(content) * 2 // 3],
        "cut at the start": content[:20],
        "middle overwritten": content[:100] + b"\xff" * 100 + content[200:],
        "empty": b"",
        "a web page": b"<!DOCTYPE html><html><body>404</body></html>",
        "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "text": b"these are no weights, just words " * 9,
        "zeros": bytes(4096),
    }[kind]


@pytest.mark.parametrize(
    "kind, words",
    [
        ("truncated", "truncated|damaged"),
        ("cut at the start", "truncated|damaged|damage"),
        ("empty", "is empty"),
        ("a web page", "web page"),
        ("a Git LFS pointer", "git lfs pull"),
        ("text", "another kind|no layers"),
        ("zeros", "another kind|no layers"),
    ],
)
def test_damaged_files_are_refused_and_nothing_is_copied(saved, make_net, kind, words):
    _, path = saved
    path.write_bytes(damaged(path.read_bytes(), kind))
    net = make_net(PLAIN)
    before = contents(net)
    with pytest.raises(WeightsError, match=f"{path.name}.*({words})"):
        net.copy_from(path)
    for k, values in contents(net).items():
        np.testing.assert_array_equal(values, before[k])


@pytest.mark.parametrize("seed", range(40))
def test_no_damage_leads_to_another_exception(saved, make_net, seed):
    """With bytes changed randomly, the file loads or the error has its name."""
    _, path = saved
    rng, content = np.random.default_rng(seed), bytearray(path.read_bytes())
    for place in rng.integers(0, min(len(content), 3000), 12):
        content[place] = rng.integers(256)
    path.write_bytes(bytes(content))
    try:
        make_net(PLAIN).copy_from(path)
    except CaffeError as error:
        assert path.name in str(error)


def test_missing_files(make_net, tmp_path):
    with pytest.raises(WeightsError, match="nothing.caffemodel.*no such"):
        make_net(PLAIN).copy_from(tmp_path / "nothing.caffemodel")
    with pytest.raises(WeightsError, match="folder"):
        make_net(PLAIN).copy_from(tmp_path)


def test_saving_to_a_missing_folder(make_net, tmp_path):
    net = make_net(PLAIN)
    for method in (net.save, net.save_hdf5):
        with pytest.raises(WeightsError, match="no folder .*nowhere"):
            method(tmp_path / "nowhere" / "w.caffemodel")
        with pytest.raises(WeightsError, match="cannot be written"):
            method(tmp_path)


def test_values_that_do_not_fill_their_shape(make_net, tmp_path):
    param = caffe_pb2.NetParameter()
    blob = param.layer.add(name="conv").blobs.add(data=[1, 2, 3])
    blob.shape.dim.extend([4, 4, 3, 3])
    param.layer[0].blobs.add().shape.dim.append(4)
    path = tmp_path / "w.caffemodel"
    path.write_bytes(param.SerializeToString())
    with pytest.raises(WeightsError, match="'conv', blob 0: holds 3 values for shape"):
        make_net(PLAIN).copy_from(path)


def older(net, generation):
    """Return the weights of `net` as layers of an older generation, with four-axis shapes."""
    param = caffe_pb2.NetParameter()
    for name, blobs in net.params.items():
        layer = param.layers.add()
        layer = layer.layer if generation == 0 else layer
        layer.name = name
        for blob in blobs:
            shape = (1,) * (4 - len(blob.shape)) + blob.shape
            layer.blobs.add(
                data=blob.data.ravel().tolist(),
                **dict(zip(("num", "channels", "height", "width"), shape)),
            )
    return param


@pytest.mark.parametrize("generation", [0, 1])
def test_weights_of_older_generations(make_net, tmp_path, generation):
    net, path = make_net(PLAIN), tmp_path / "old.caffemodel"
    path.write_bytes(older(net, generation).SerializeToString())
    other = make_net(PLAIN)
    other.copy_from(path)
    assert same(net, other)
    with pytest.raises(ShapeMismatch, match="old.caffemodel: layer 'up'.*grouped"):
        make_net(GROUPED).copy_from(path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(WeightsError, match="old.caffemodel"):
        other.copy_from(path)


def test_double_precision(make_net, tmp_path):
    param = caffe_pb2.NetParameter()
    layer = param.layer.add(name="up")
    layer.blobs.add(double_data=range(256)).shape.dim.extend([4, 4, 4, 4])
    path = tmp_path / "double.caffemodel"
    path.write_bytes(param.SerializeToString())
    net = make_net(PLAIN, weights=path)
    np.testing.assert_array_equal(net.params["up"][0].data.ravel(), np.arange(256))


SHARED = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 2 dim: 3 dim: 3 } } }
layer { name: "a" type: "Convolution" bottom: "data" top: "a" param { name: "w" }
  convolution_param { num_output: 2 kernel_size: 1 weight_filler { type: "xavier" } } }
layer { name: "b/1" type: "Convolution" bottom: "a" top: "b" param { name: "w" }
  convolution_param { num_output: 2 kernel_size: 1 } }
"""


@pytest.mark.parametrize("ending", ENDINGS)
def test_shared_weights(make_net, tmp_path, ending):
    net, other = make_net(SHARED), make_net(SHARED)
    net.params["b/1"][1].data[...] = 7
    save(net, tmp_path / ("w" + ending))
    other.copy_from(tmp_path / ("w" + ending))
    assert same(net, other) and other.params["a"][0] is other.params["b/1"][0]


def write_h5(path, **datasets):
    with h5py.File(path, "w") as f:
        for name, value in datasets.items():
            if value is None:
                f.create_group(name)
            else:
                f[name] = value
    return path


@pytest.mark.parametrize(
    "content, words",
    [
        ({"other": np.zeros(3)}, "no group 'data'"),
        ({"data": np.zeros(3)}, "no group 'data'"),
        ({"data/up": np.zeros(3)}, "'up' has 0 blobs"),
        ({"data/up": None}, "'up' has 0 blobs"),
        ({"data/up/0": None}, "/data/up/0 is not a dataset"),
        ({"data/up/0": b"words"}, "shape"),
        ({"data/up/0": np.full((4, 4, 4, 4), b"words")}, "damaged"),
        ({"data/up/0": np.zeros((4, 4, 4, 4)), "data/up/1": np.zeros(4)}, "'up' has 2 blobs"),
    ],
)
def test_hdf5_files_of_another_kind(make_net, tmp_path, content, words):
    path = write_h5(tmp_path / "w.caffemodel.h5", **content)
    with pytest.raises(
        WeightsError if "shape" not in words else ShapeMismatch, match=f"w.caffemodel.h5.*{words}"
    ):
        make_net(PLAIN).copy_from(path)


def test_more_than_protobuf_can_hold(make_net, tmp_path):
    net = make_net(PLAIN)
    list.__setitem__(net.params["conv"], 0, caffe.Blob(2**29))
    with pytest.raises(WeightsError, match="save_hdf5"):
        net.save(tmp_path / "w.caffemodel")
    large = tmp_path / "large.caffemodel"
    with open(large, "wb") as f:
        f.truncate(2**31)  # a sparse file
    with pytest.raises(WeightsError, match="2 GiB"):
        net.copy_from(large)


def test_names_and_shapes_count_towards_the_limit(make_net, tmp_path, monkeypatch):
    net, path = make_net(PLAIN), tmp_path / "w.caffemodel"
    net.save(path)
    whole = path.stat().st_size
    for limit in (whole, whole - 1):
        monkeypatch.setattr("caffe.weights.caffemodel.LIMIT", limit)
        path.unlink()
        if limit < whole:
            with pytest.raises(WeightsError, match="w.caffemodel.*save_hdf5"):
                net.save(path)
        else:
            net.save(path)
    assert list(tmp_path.glob("w*")) == []
