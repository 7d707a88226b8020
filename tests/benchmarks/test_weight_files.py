"""Weights files are loaded and saved without a second copy in memory."""

import sys

import pytest

import caffe
from benchmarks import weight_files
from caffe import layers as L

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")


def write_net(path, inputs):
    """Write a net of two InnerProduct layers with about 5000 * inputs weights."""
    n = caffe.NetSpec()
    n.data = L.Input(shape={"dim": [1, inputs]})
    n.a = L.InnerProduct(n.data, num_output=5000)
    n.b = L.InnerProduct(n.a, num_output=1000)
    path.write_text(str(n.to_proto()))


@linux
def test_peak_is_measured():
    peak, seconds = weight_files.measure(lambda: bytearray(b"1") * 300_000_000)
    assert peak > 290_000_000 and seconds > 0


@linux
@pytest.mark.parametrize(
    "save, load, ending",
    [("save", "copy_from", ".caffemodel"), ("save_hdf5", "load_hdf5", ".caffemodel.h5")],
)
def test_memory_that_files_take(tmp_path, save, load, ending):
    """Saving streams; loading reads all values before it changes any, which takes one copy."""
    definition, path = tmp_path / "net.prototxt", tmp_path / f"w{ending}"
    write_net(definition, 10_000)  # 220 MB
    net = caffe.Net(definition, caffe.TEST)
    for blobs in net.params.values():
        blobs[0].data[...] = 3
    for call, most in ((save, 0.5), (load, 1.1)):
        peak, _ = weight_files.measure(lambda call=call: getattr(net, call)(path))
        assert peak < most * path.stat().st_size, call
        net.params["a"][0].data[...] = 4
    net.copy_from(path)
    assert (net.params["a"][0].data == 3).all()


@linux
@pytest.mark.slow
def test_command_line(monkeypatch, capsys, tmp_path):
    write_net(tmp_path / "net.prototxt", 300)
    monkeypatch.setattr("sys.argv", ["weight_files", str(tmp_path / "net.prototxt")])
    weight_files.main()
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["save", "load", "save_h5", "load_h5"]
    assert all("26 MB" in row for row in rows)
