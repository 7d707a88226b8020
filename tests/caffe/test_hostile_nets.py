"""No definition takes unbounded memory or time, or kills the process: sizes are checked first."""

import resource
import subprocess
import sys

import pytest

from caffe.blobs import memory
from caffe.errors import CaffeError
from tests.caffe.bridge_nets import data

DATA = data(1, 2, 8, 8)


def layer(kind, settings="", bottom='bottom: "data"', top='top: "x"'):
    return f'layer {{ name: "x" type: "{kind}" {bottom} {top} {settings} }}\n'


HUGE = {
    "axes": data(*[1] * 33),
    "dims": data(*[65536] * 8),
    "negative": data(-1),
    "2^63": data(9223372036854775807),
    "outputs": DATA + layer("InnerProduct", "inner_product_param { num_output: 2147483648 }"),
    "channels": DATA
    + layer("Convolution", "convolution_param { num_output: 4294967295 kernel_size: 1 }"),
    "kernel": DATA
    + layer(
        "Convolution",
        "convolution_param { num_output: 1 pad: 4000000 kernel_size: 4000000 stride: 4000000 }",
    ),
    "transposed": DATA
    + layer(
        "Deconvolution", "convolution_param { num_output: 1 kernel_size: 1 stride: 4000000000 }"
    ),
    "dilation": DATA
    + layer(
        "Convolution", "convolution_param { num_output: 1 kernel_size: 2 dilation: 4000000000 }"
    ),
    "pad": DATA
    + layer("Pooling", "pooling_param { kernel_size: 4000000 pad: 3999999 stride: 4000000 }"),
    "tiles": DATA + layer("Tile", "tile_param { tiles: 2147483647 }"),
    "reshape": DATA
    + layer(
        "Reshape", "reshape_param { shape { dim: 4611686018427387904 dim: 4611686018427387904 } }"
    ),
    "dummies": layer(
        "DummyData",
        "dummy_data_param { num: 65536 channels: 65536 height: 65536 width: 65536 }",
        "",
    ),
    "table": DATA + layer("Embed", "embed_param { input_dim: 4294967295 num_output: 4294967295 }"),
    "pyramid": DATA + layer("SPP", "spp_param { pyramid_height: 4294967295 }"),
    "columns": DATA + layer("Im2col", "convolution_param { kernel_size: 60000 pad: 60000 }"),
}


@pytest.mark.parametrize("what", HUGE)
def test_sizes_are_refused_before_allocation(make_net, what):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CaffeError):
        make_net(HUGE[what])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


@pytest.mark.parametrize(
    "module",
    [
        "",
        ".",
        "..",
        ".x",
        "a..b",
        "x y",
        "/etc/passwd",
        "../x",
        "x.py",
        "\\0",
        "x\\n",
        "__main__",
        "caffe",
        "caffe.errors",
        "os",
        "numpy",
        "sys",
        "\\303\\251",
        "a" * 5000,
        "1",
        "caffe.no_such",
    ],
)
def test_odd_modules(make_net, module):
    with pytest.raises(CaffeError, match="layer 'x'"):
        make_net(DATA + layer("Python", f'python_param {{ module: "{module}" layer: "system" }}'))


MANY = "".join(
    f'layer {{ name: "fc{i}" type: "InnerProduct" bottom: "data" top: "fc{i}" '
    "inner_product_param { num_output: 1000000 } }\n"
    for i in range(20)
)


@pytest.fixture
def little_memory(monkeypatch):
    """Pretend that one GiB of memory is left."""
    monkeypatch.setattr(memory, "available", lambda: 2**30)


def test_weights_that_fit_singly_but_not_together(make_net, little_memory):
    with pytest.raises(CaffeError, match=r"weights of this net take 9.6 GiB.*1.0 are left"):
        make_net(DATA + MANY)


def test_blobs_are_refused_when_they_are_used_not_when_they_are_built(make_net, little_memory):
    """A small machine can still load a net to read its weights."""
    net = make_net(data(1, 300000000) + layer("Power"))
    with pytest.raises(CaffeError, match="shape .1, 300000000. takes 1.1 GiB"):
        net.blobs["data"].data[...] = 1
    net = make_net(DATA + layer("Tile", "tile_param { tiles: 3000000 }"))
    with pytest.raises(CaffeError, match="layer 'x' needs 1.4 GiB"):
        net.forward()


@pytest.mark.parametrize("seed, number", [(0, 150), pytest.param(1, 4000, marks=pytest.mark.slow)])
def test_random_extremes(root, seed, number):
    """Random nets in a separate process with limited memory."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.nets", str(seed), str(number)],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]
    assert f"{number} nets, 0 findings" in process.stdout
