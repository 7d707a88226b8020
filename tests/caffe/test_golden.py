"""Outputs and gradients against those recorded from BVLC Caffe.

tests/data holds a small FCN-8s. If the folder ../shared exists, all its recorded nets whose layers
we support are replayed.
"""

import json
import runpy

import numpy as np
import pytest

import caffe

NETS = (
    "accuracy argmax batchnorm concat conv_basic conv_dilation conv_group conv_nd conv_shared "
    "crop deconv embed fcn8s_mini inner_product inplace loss_sigmoid_ce loss_softmax lrn misc "
    "neurons neurons_pos pool_max reshape_flatten scale_bias softmax split spp_im2col "
    "threshold tile"
).split()
SOLVERS = (
    "adadelta adagrad adam fcn_sgd_fixed nesterov sgd_exp sgd_fixed sgd_inv sgd_itersize2 "
    "sgd_itersize2_input sgd_l1 sgd_multistep sgd_sigmoid sgd_step"
).split()


def close(got, wanted, what, tolerance=1e-5):
    """Compare within `tolerance` of the largest recorded value, as another BLAS may differ."""
    assert np.shape(got) == np.shape(wanted), what
    np.testing.assert_allclose(
        got, wanted, rtol=0, err_msg=what, atol=tolerance * np.abs(wanted).max(initial=0) + 1e-7
    )


def replay(net, frames, schedule):
    """Return the scores after each frame; a step is (start, end) of one call of forward."""
    scores = []
    for frame, steps in zip(frames, schedule, strict=True):
        net.blobs["data"].reshape(1, *frame.shape)
        net.blobs["data"].data[...] = frame
        for start, end in steps:
            net.forward(start=start, end=end)
        scores.append(net.blobs["score"].data[0].copy())
    return np.array(scores)


@pytest.fixture
def mini(root):
    """Return (folder of the recorded FCN-8s, the net)."""
    folder = root / "tests/data/fcn8s_mini"
    return folder, caffe.Net(folder / "net.prototxt", folder / "net.caffemodel", caffe.TEST)


@pytest.mark.parametrize("name", ["full", "clockwork", "pipeline2", "pipeline3"])
def test_frames_in_stages(mini, name):
    folder, net = mini
    recorded = np.load(folder / "frames.npz")
    schedule = json.loads((folder / "frames.json").read_text())[name]
    scores = replay(net, recorded["frames"], schedule)
    close(scores[:, :, ::3, ::3], recorded[f"score {name}"], name)
    if name != "full":
        assert np.abs(scores[:, :, ::3, ::3] - recorded["score full"]).max() > 0.01


def test_forward_and_backward(mini):
    folder, net = mini
    recorded = np.load(folder / "pass.npz")
    net.blobs["data"].data[...] = recorded["data"]
    close(net.forward()["score"], recorded["score"], "score")
    close(net.backward(score=recorded["d score"])["data"], recorded["d data"], "d data")
    for layer, blobs in net.params.items():
        for i, blob in enumerate(blobs):
            close(blob.diff, recorded[f"d {layer} {i}"], f"{layer}[{i}]")


def unsplit(names):
    """Remove BVLC Caffe's Split layers and the copies of blobs that they produce."""
    return [name for name in names if "_split" not in name]


@pytest.fixture(params=NETS)
def recorded(request, shared):
    """Return (folder of a recorded net, its manifest, the net with its inputs)."""
    folder = shared / "golden/nets" / request.param
    net = caffe.Net(str(folder / "net.prototxt"), str(folder / "net.caffemodel"), caffe.TEST)
    manifest = json.loads((folder / "manifest.json").read_text())
    for name in manifest["inputs"]:
        net.blobs[name].data[...] = np.load(folder / f"in__{name}.npy")
    return folder, manifest, net


def test_recorded_nets(recorded):
    folder, manifest, net = recorded
    assert list(net.blobs) == unsplit(manifest["blobs"])
    assert net._layer_names == unsplit(layer[0] for layer in manifest["layers"])
    net.forward()
    compared = 0
    for name in net.blobs:
        path = folder / f"out__{name}.npy"
        if path.exists():
            close(net.blobs[name].data, np.load(path), name)
            compared += 1
    assert compared
    if manifest["backward"]:
        compare_backward(folder, net)
    for path in folder.glob("sized_in__*.npy"):
        x = np.load(path)
        net.blobs["data"].reshape(*x.shape)
        net.blobs["data"].data[...] = x
        close(net.forward()["score"], np.load(str(path).replace("sized_in", "sized_score")), path)


def compare_backward(folder, net):
    for path in (folder / "grad").glob("top__*.npy"):
        net.blobs[path.stem[5:]].diff[...] = np.load(path)
    net.backward()
    for path in (folder / "grad").glob("bottom__*.npy"):
        if path.stem[8:] in net.blobs:
            close(net.blobs[path.stem[8:]].diff, np.load(path), path.stem)
    for path in (folder / "grad").glob("param__*.npy"):
        layer, i = path.stem[7:].rsplit("__", 1)
        close(net.params[layer][int(i)].diff, np.load(path), path.stem)


def test_a_net_of_the_second_generation(shared):
    """`layers { }`, header inputs, and weights that all have four axes."""
    folder = shared / "golden/legacy_v1"
    net = caffe.Net(str(folder / "net.prototxt"), str(folder / "net.caffemodel"), caffe.TEST)
    net.blobs["data"].data[...] = np.load(folder / "in__data.npy")
    net.forward()
    for name in unsplit(p.stem[5:] for p in folder.glob("out__*.npy")):
        close(net.blobs[name].data, np.load(folder / f"out__{name}.npy"), name)
    upgraded = caffe.Net(
        str(folder / "net.prototxt"), str(folder / "net_upgraded_by_caffe.caffemodel"), caffe.TEST
    )
    for layer, blobs in net.params.items():
        for mine, theirs in zip(blobs, upgraded.params[layer], strict=True):
            np.testing.assert_array_equal(mine.data, theirs.data)


def test_recorded_hdf5_weights(shared):
    compared = 0
    for path in (shared / "golden/nets").glob("*/net.h5"):
        if path.parent.name in NETS:
            net = caffe.Net(str(path.parent / "net.prototxt"), caffe.TEST)
            net.load_hdf5(str(path))
            other = caffe.Net(
                str(path.parent / "net.prototxt"), str(path.parent / "net.caffemodel"), caffe.TEST
            )
            for layer, blobs in net.params.items():
                for mine, theirs in zip(blobs, other.params[layer], strict=True):
                    np.testing.assert_array_equal(mine.data, theirs.data)
                    compared += 1
    assert compared > 10


@pytest.mark.parametrize("name", SOLVERS)
def test_recorded_training(shared, name, monkeypatch):
    """Compare the loss of twenty iterations, and the weights at the end."""
    folder = shared / "golden/train"
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    solver = caffe.get_solver(f"{name}/solver.prototxt")
    solver.net.copy_from(f"{name}/init.caffemodel")
    images, labels = np.load("x.npy"), np.load("s.npy" if name.startswith("fcn") else "y.npy")
    by_hand = "Python" not in (folder / name / "train.prototxt").read_text()
    losses, rates = [], []
    for i in range(20):
        if by_hand:
            rows = np.arange(4 * i, 4 * i + 4) % 32
            solver.net.blobs["data"].data[...] = images[rows]
            solver.net.blobs["label"].data[...] = labels[rows]
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
        rates.append(solver.lr)
    close(losses, np.load(f"{name}/loss.npy"), "loss", 1e-4)
    close(rates, np.load(f"{name}/lr.npy"), "learning rate")
    final = caffe.Net(f"{name}/train.prototxt", f"{name}/final.caffemodel", caffe.TRAIN)
    for layer, blobs in final.params.items():
        for i, blob in enumerate(blobs):
            close(solver.net.params[layer][i].data, blob.data, f"{layer}[{i}]", 1e-4)


@pytest.mark.parametrize("name", ["sgd_fixed", "adam", "sgd_step", "adadelta"])
def test_resuming_from_a_snapshot_of_caffe(shared, name, monkeypatch):
    """From Caffe's snapshot of iteration 10, iteration 20 has the weights that Caffe recorded."""
    folder = shared / "golden/train"
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    solver = caffe.get_solver(f"{name}/solver.prototxt")
    solver.restore(f"{name}/iter10.solverstate")
    assert solver.iter == 10
    images, labels = np.load("x.npy"), np.load("y.npy")
    for i in range(10, 20):
        rows = np.arange(4 * i, 4 * i + 4) % 32
        solver.net.blobs["data"].data[...] = images[rows]
        solver.net.blobs["label"].data[...] = labels[rows]
        solver.step(1)
    final = caffe.Net(f"{name}/train.prototxt", f"{name}/final.caffemodel", caffe.TRAIN)
    for layer, blobs in final.params.items():
        for i, blob in enumerate(blobs):
            close(solver.net.params[layer][i].data, blob.data, f"{layer}[{i}]", 1e-4)


@pytest.mark.slow
def test_the_full_fcn8s_on_a_frame_of_500_by_500(shared):
    """134 million weights, filled from the seed of the recording; takes about 3 GiB of memory."""
    folder = shared / "golden/stage_voc_fcn8s"
    net = caffe.Net(str(folder / "stage-voc-fcn8s.prototxt"), caffe.TEST)
    runpy.run_path(str(folder / "fill.py"))["fill"](net)
    net.blobs["data"].data[...] = (
        np.random.RandomState(0).randn(1, 3, 500, 500).astype(np.float32) * 50
    )
    net.forward()
    for name in ("score_fr", "score_pool3", "score_pool4"):
        close(net.blobs[name].data, np.load(folder / f"{name}.npy"), name)
    score = net.blobs["score"].data
    wanted = np.load(folder / "score_every10.npy")
    close(score[..., ::10, ::10].reshape(wanted.shape), wanted, "score")
    classes = np.load(folder / "argmax_u8.npy").reshape(500, 500)
    assert (score[0].argmax(0) != classes).mean() < 1e-4  # ties in the last bit may differ
