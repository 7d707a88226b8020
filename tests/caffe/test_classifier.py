"""caffe.Classifier and caffe.Detector against the same steps in plain NumPy."""

import sys
import types
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import caffe
from caffe.errors import ImageError, MissingTool

NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 4 dim: 3 dim: 8 dim: 8 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 5 weight_filler { type: "gaussian" std: 0.01 } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""
SETTINGS = dict(mean=np.array([104, 117, 123]), raw_scale=255, channel_swap=(2, 1, 0))


@pytest.fixture
def files(write, tmp_path):
    """Return (prototxt, caffemodel) of a small net."""
    path = str(write(NET))
    weights = str(tmp_path / "net.caffemodel")
    caffe.Net(path, caffe.TEST).save(weights)
    return path, weights


def images(n, shape=(12, 10, 3)):
    return list(np.random.default_rng(0).random((n, *shape)).astype(np.float32))


def scores(net, image):
    """Return the net's scores for one image of its input's size, in plain NumPy."""
    x = 255 * image[:, :, ::-1].transpose(2, 0, 1) - SETTINGS["mean"][:, None, None]
    logits = net.params["ip"][0].data @ x.ravel() + net.params["ip"][1].data
    e = np.exp(logits - logits.max())
    return e / e.sum()


def test_predict_averages_ten_crops(files):
    net = caffe.Classifier(*files, image_dims=(9, 11), **SETTINGS)
    assert isinstance(net, caffe.Net)
    pictures = images(3)
    predictions = net.predict(pictures)
    assert predictions.shape == (3, 5)
    for got, picture in zip(predictions, pictures, strict=True):
        resized = caffe.io.resize_image(picture, (9, 11))
        crops = [
            crop[y : y + 8, x : x + 8]
            for crop in (resized, resized[:, ::-1])
            for y, x in ((0, 0), (0, 3), (1, 0), (1, 3), (0, 1))
        ]
        # mirroring the centre crop: the other side is one pixel wider
        crops[9] = resized[0:8, 1:9][:, ::-1]
        np.testing.assert_allclose(got, np.mean([scores(net, c) for c in crops], 0), rtol=1e-3)


def test_predict_from_the_centre(files):
    net = caffe.Classifier(*files, image_dims=(12, 10), **SETTINGS)
    predictions = net.predict(images(6), oversample=False)
    for got, picture in zip(predictions, images(6), strict=True):
        np.testing.assert_allclose(got, scores(net, picture[2:10, 1:9]), rtol=1e-3)
    with pytest.raises(ImageError, match="no images"):
        net.predict([])


def test_other_settings(files):
    net = caffe.Classifier(*files, input_scale=3)
    assert tuple(net.image_dims) == tuple(net.crop_dims) == (8, 8)
    prepared = net.transformer.preprocess("data", np.full((8, 8, 3), 0.5))
    np.testing.assert_allclose(prepared, np.full((3, 8, 8), 1.5))
    small = caffe.Classifier(*files, image_dims=(6, 20))
    for over in (True, False):
        with pytest.raises(ImageError, match="6"):
            small.predict(images(1), oversample=over)


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """Return a Detector with SETTINGS, the same for all examples."""
    folder = tmp_path_factory.mktemp("detector")
    (folder / "net.prototxt").write_text(NET)
    caffe.Net(folder / "net.prototxt", caffe.TEST).save(folder / "net.caffemodel")
    return caffe.Detector(folder / "net.prototxt", folder / "net.caffemodel", **SETTINGS)


@pytest.fixture
def pictures(tmp_path):
    """Return the names of two image files."""
    names = []
    for i, image in enumerate(images(2, (40, 30, 3))):
        names.append(str(tmp_path / f"{i}.png"))
        Image.fromarray((image * 255).astype(np.uint8)).save(names[-1])
    return names


WINDOWS = [np.array([3, 4, 11, 12]), np.array([10, 2, 30, 28]), np.array([0, 0, 8, 8])]


def test_detect_windows(files, pictures):
    net = caffe.Detector(*files, **SETTINGS)
    detections = net.detect_windows(zip(pictures, (WINDOWS, WINDOWS[:2])))
    assert [(d["filename"], tuple(d["window"])) for d in detections] == [
        (name, tuple(w)) for name, own in zip(pictures, (WINDOWS, WINDOWS[:2])) for w in own
    ]
    for d in detections:
        y, x, bottom, right = d["window"]
        window = caffe.io.load_image(d["filename"])[y:bottom, x:right]
        wanted = scores(net, caffe.io.resize_image(window, (8, 8)))
        np.testing.assert_allclose(d["prediction"], wanted, rtol=1e-3)
    assert net.detect_windows([(pictures[0], [])]) == []


def test_context_inside_the_image(files):
    """16 pixels at size 8 with 2 of context on each side: the crop is twice as wide, 32 pixels."""
    net = caffe.Detector(*files, **SETTINGS, context_pad=2)
    image = images(1, (64, 64, 3))[0]
    got = net.crop(image, np.array([24, 24, 39, 39]))
    # half a window is (39 - 24 + 1) / 2 = 8; doubled, 16 around the centre 24 + 8: from 16 to 48
    assert got.shape == (8, 8, 3)
    np.testing.assert_allclose(got, caffe.io.resize_image(image[16:48, 16:48], (8, 8)), atol=1e-6)


def test_context_beyond_the_image_is_the_mean(files):
    net = caffe.Detector(*files, **SETTINGS, context_pad=2)
    image = np.full((64, 64, 3), 0.25, np.float32)
    got = net.crop(image, np.array([0, 24, 15, 39]))  # rows -8..24: 8 of 33 are above the image
    mean = SETTINGS["mean"][::-1] / 255  # in the image's own order and range
    np.testing.assert_allclose(got[:2], np.broadcast_to(mean, (2, 8, 3)), rtol=1e-6)
    np.testing.assert_allclose(got[2:], np.full((6, 8, 3), 0.25))
    prepared = net.transformer.preprocess("data", got)
    np.testing.assert_allclose(prepared[:, :2], 0, atol=1e-4)
    assert not caffe.Detector(*files, context_pad=2).crop_mean.any()
    with pytest.raises(ImageError, match="outside the image"):
        net.crop(image, np.array([200, 0, 210, 10]))


def place(first, last, size, pad, length):
    """Return where one axis of a window with context lies, computed in fractions.

    The result is (first row in the image, one after the last row, rows of padding before it in the
    net's input, rows of the image there).
    """
    half = Fraction(last - first + 1, 2)
    grown = half * Fraction(size, size - 2 * pad)
    begin, end = round(first + half - grown), round(first + half + grown)
    ratio = Fraction(size, end - begin + 1)
    before = round(-begin * ratio) if begin < 0 else 0
    begin, end = max(begin, 0), min(end, length)
    return begin, end, before, min(round((end - begin + 1) * ratio), size - before)


@given(
    st.integers(0, 30),
    st.integers(1, 20),
    st.integers(0, 40),
    st.integers(1, 20),
    st.integers(1, 3),
)
def test_context_anywhere(detector, y, height, x, width, pad):
    detector.configure_crop(pad)
    image = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32)
    got = detector.crop(image, [y, x, y + height, x + width])
    top, bottom, above, rows = place(y, y + height, 8, pad, 40)
    left, right, beside, columns = place(x, x + width, 8, pad, 50)
    inside = np.zeros((8, 8), bool)
    inside[above : above + rows, beside : beside + columns] = True
    np.testing.assert_allclose(got[~inside], detector.crop_mean[~inside])
    piece = caffe.io.resize_image(image[top:bottom, left:right], (rows, columns))
    np.testing.assert_allclose(got[inside].reshape(rows, columns, 3), piece, atol=1e-6)


def test_context_of_a_mean_image(files):
    mean = np.random.default_rng(0).random((3, 8, 8))
    net = caffe.Detector(*files, mean=mean, channel_swap=(2, 0, 1), context_pad=1)
    # after preprocessing, the context is zero
    np.testing.assert_allclose(net.transformer.preprocess("data", net.crop_mean), 0, atol=1e-6)
    net.configure_crop(None)
    assert net.crop(np.zeros((20, 20, 3)), (1, 2, 5, 8)).shape == (4, 6, 3)
    with pytest.raises(ImageError, match="context_pad 4"):
        net.configure_crop(4)


def test_selective_search(files, pictures, monkeypatch):
    net = caffe.Detector(*files)
    monkeypatch.setitem(sys.modules, "selective_search_ijcv_with_python", None)
    with pytest.raises(MissingTool, match="selective_search_ijcv_with_python.*detect_windows"):
        net.detect_selective_search(pictures)
    stand_in = types.SimpleNamespace(get_windows=lambda names, cmd: [WINDOWS for _ in names])
    monkeypatch.setitem(sys.modules, "selective_search_ijcv_with_python", stand_in)
    assert len(net.detect_selective_search(iter(pictures))) == 6
