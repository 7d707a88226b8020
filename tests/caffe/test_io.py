"""caffe.io against recordings of BVLC's for one image, and against plain NumPy."""

import numpy as np
import pytest
from PIL import Image

import caffe
from caffe.errors import CaffeError, ImageError
from caffe.proto import caffe_pb2

io = caffe.io
MEAN = np.array([104, 117, 123])


@pytest.fixture
def save(tmp_path):
    """Return save(array or PIL image) -> path of an image file."""

    def save(image, name="image.png"):
        image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
        image.save(tmp_path / name)
        return str(tmp_path / name)

    return save


@pytest.fixture
def golden(shared):
    """Return golden(name) -> the result of BVLC's caffe.io for golden("img.png")."""
    folder = shared / "golden/io"

    def golden(name):
        return str(folder / name) if name.endswith("png") else np.load(folder / f"{name}.npy")

    return golden


def transformer(shape=(1, 3, 10, 12), mean=MEAN):
    """Return the Transformer of golden/io: BGR in bytes minus the mean, times 0.017."""
    t = io.Transformer({"data": shape})
    t.set_transpose("data", (2, 0, 1))
    t.set_channel_swap("data", (2, 1, 0))
    t.set_raw_scale("data", 255)
    t.set_mean("data", mean)
    t.set_input_scale("data", 0.017)
    return t


def test_recorded_images(golden):
    image = io.load_image(golden("img.png"))
    for got, name in [
        (image, "load_color"),
        (io.load_image(golden("img.png"), color=False), "load_gray"),
        (io.resize_image(image, (10, 12)), "resize_10x12"),
        (io.resize_image(image, (33, 41), interp_order=0), "resize_33x41_nn"),
        (io.resize_image(np.linspace(0, 3, 360).reshape(8, 9, 5), (5, 7)), "resize_5ch"),
        (io.oversample([image], (10, 12)), "oversample_10x12"),
    ]:
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, golden(name), rtol=0, atol=1e-6, err_msg=name)


def test_recorded_preprocessing(golden):
    image = io.load_image(golden("img.png"))
    for mean, kind in ((MEAN, "vec"), (golden("mean_chw"), "chw")):
        t = transformer(mean=mean)
        prepared = t.preprocess("data", image)
        np.testing.assert_allclose(prepared, golden(f"pre_{kind}"), rtol=0, atol=3e-6)
        back = t.deprocess("data", prepared[np.newaxis])
        np.testing.assert_allclose(back, golden(f"depre_{kind}"), rtol=0, atol=1e-6)


def test_load_image_by_kind_of_file(save):
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (6, 5, 3), np.uint8)
    alpha = np.dstack([rgb, np.full((6, 5), 99, np.uint8)])
    for array in (rgb, alpha):
        np.testing.assert_allclose(io.load_image(save(array)), rgb / 255, atol=1e-6)
    grey = rgb[:, :, 0]
    got = io.load_image(save(grey))
    assert got.shape == (6, 5, 3) and (got == got[:, :, :1]).all()
    np.testing.assert_allclose(
        io.load_image(save(grey), color=False)[:, :, 0], grey / 255, atol=1e-6
    )
    weights = [0.2125, 0.7154, 0.0721]  # luminance as skimage defines it
    np.testing.assert_allclose(
        io.load_image(save(rgb), color=False)[:, :, 0], rgb / 255 @ weights, atol=1e-5
    )
    grey_alpha = Image.merge("LA", [Image.fromarray(grey), Image.fromarray(rgb[:, :, 1])])
    assert io.load_image(save(grey_alpha)).shape == (6, 5, 3)


def test_files_that_are_not_images(tmp_path):
    (tmp_path / "text.png").write_text("not an image")
    for name in ("missing.png", "text.png"):
        with pytest.raises(ImageError, match=name):
            io.load_image(str(tmp_path / name))
    assert issubclass(ImageError, CaffeError) and issubclass(ImageError, ValueError)


def test_resize_keeps_values_and_size():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(6, 7, 3)) * 50 - 200
    np.testing.assert_allclose(io.resize_image(image, (6, 7)), image, rtol=1e-5)
    flat = io.resize_image(np.full((4, 4, 1), -7.5), (9, 3))
    assert flat.shape == (9, 3, 1) and (flat == -7.5).all() and flat.dtype == np.float32
    large = io.resize_image(image, np.array([12, 14]))
    assert large.shape == (12, 14, 3)
    assert image.min() <= large.min() and large.max() <= image.max()
    assert io.resize_image(np.zeros((3, 3, 21)), (6, 2)).shape == (6, 2, 21)
    for im, size in (
        (np.zeros((3, 3)), (2, 2)),
        (np.zeros((0, 3, 3)), (2, 2)),
        (np.zeros((3, 3, 3)), (0, 2)),
    ):
        with pytest.raises(ImageError, match="resize_image"):
            io.resize_image(im, size)


def test_oversample_takes_corners_centre_and_mirrors():
    images = np.random.default_rng(0).normal(size=(2, 7, 9, 3)).astype(np.float32)
    crops = io.oversample(images, (4, 6))
    assert crops.shape == (20, 4, 6, 3)
    wanted = [(0, 0), (0, 3), (3, 0), (3, 3), (1, 1)]
    for n, image in enumerate(images):
        for k, (y, x) in enumerate(wanted):
            crop = image[y : y + 4, x : x + 6]
            np.testing.assert_array_equal(crops[10 * n + k], crop)
            np.testing.assert_array_equal(crops[10 * n + 5 + k], crop[:, ::-1])
    with pytest.raises(ImageError, match="does not fit"):
        io.oversample(images, (8, 6))


def test_preprocessing_step_by_step():
    image = np.random.default_rng(0).random((10, 12, 3)).astype(np.float32)
    original = image.copy()
    wanted = (image[:, :, ::-1].transpose(2, 0, 1) * 255 - MEAN[:, None, None]) * 0.017
    np.testing.assert_allclose(
        transformer().preprocess("data", image), wanted, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_array_equal(image, original)
    np.testing.assert_allclose(transformer().deprocess("data", wanted), image, atol=1e-5)
    plain = io.Transformer({"data": (1, 10, 12, 3)})  # no step is set
    plain.inputs["data"] = (1, 3, 10, 12)
    np.testing.assert_array_equal(plain.preprocess("data", image), image)


def test_inputs_that_are_not_images():
    for shape in ((8,), (2, 3, 4, 4)):
        t = io.Transformer({"data": (5, *shape)})
        t.set_input_scale("data", 2)
        np.testing.assert_array_equal(t.preprocess("data", np.ones(shape)), np.full(shape, 2))


def test_a_mean_image_of_another_size_is_resized():
    t = transformer(mean=np.arange(3 * 4 * 5, dtype=float).reshape(3, 4, 5))
    assert t.mean["data"].shape == (3, 10, 12)
    np.testing.assert_allclose(
        t.mean["data"],
        io.resize_image(np.arange(60.0).reshape(3, 4, 5).transpose(1, 2, 0), (10, 12)).transpose(
            2, 0, 1
        ),
    )
    t.set_mean("data", np.ones((3, 10, 12)))
    assert (t.mean["data"] == 1).all()
    grey = io.Transformer({"data": (1, 1, 4, 4)})
    grey.set_mean("data", np.ones((4, 4)))
    grey.set_transpose("data", (2, 0, 1))
    assert (grey.preprocess("data", np.ones((4, 4, 1))) == 0).all()


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda t: t.preprocess("dota", np.zeros((2, 2, 3))), "'dota'.*inputs: data"),
        (lambda t: t.set_raw_scale("dota", 1), "'dota'"),
        (lambda t: t.deprocess("x", []), "'x'"),
        (lambda t: t.set_transpose("data", (1, 0)), "transpose"),
        (lambda t: t.set_channel_swap("data", (1, 0)), "3 channels"),
        (lambda t: t.set_transpose("data", (0, 0, 1)), "each of the axes 0 to 2 once"),
        (lambda t: t.set_channel_swap("data", (1, 2, 3)), "channels are 0 to 2"),
        (lambda t: t.set_raw_scale("data", "255"), "raw scale is '255': give a finite number"),
        (lambda t: t.set_input_scale("data", float("nan")), "input scale is nan"),
        (lambda t: t.set_mean("data", np.zeros(4)), "4 values"),
        (lambda t: t.set_mean("data", np.zeros((1, 3, 2, 2))), "three axes"),
        (lambda t: t.preprocess("data", np.zeros((10, 12))), "takes images of 3 axes"),
    ],
)
def test_settings_that_do_not_fit(call, words):
    with pytest.raises(ImageError, match=words):
        call(transformer())


@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (1, 2, 3, 4), (0, 3)])
def test_blobproto_round_trip(shape):
    rng = np.random.default_rng(0)
    data, diff = rng.normal(size=(2, *shape)).astype(np.float32)
    proto = caffe_pb2.BlobProto.FromString(io.array_to_blobproto(data, diff).SerializeToString())
    np.testing.assert_array_equal(io.blobproto_to_array(proto), data)
    np.testing.assert_array_equal(io.blobproto_to_array(proto, return_diff=True), diff)
    assert not io.array_to_blobproto(data).diff


def test_blobprotos_of_older_files():
    proto = caffe_pb2.BlobProto(num=1, channels=1, height=2, width=3, data=range(6))
    np.testing.assert_array_equal(io.blobproto_to_array(proto), np.arange(6).reshape(1, 1, 2, 3))
    double = caffe_pb2.BlobProto(double_data=[1 / 3])
    assert io.blobproto_to_array(double) == 1 / 3
    number = io.blobproto_to_array(caffe_pb2.BlobProto(data=[123]))  # no shape: one number
    assert number == 123 and number.shape == ()
    for proto in (caffe_pb2.BlobProto(data=range(100)), caffe_pb2.BlobProto(num=2, data=[1, 2])):
        with pytest.raises(ValueError, match="cannot have shape"):
            io.blobproto_to_array(proto)
    with pytest.raises(ValueError, match="gradients have shape"):
        io.array_to_blobproto(np.zeros(3), np.zeros(4))


def test_lists_of_arrays_as_bytes():
    arrays = [np.arange(6.0).reshape(2, 3), np.ones(4), np.array(7.0)]
    packed = io.arraylist_to_blobprotovector_str(arrays)
    assert isinstance(packed, bytes)
    for got, wanted in zip(io.blobprotovector_str_to_arraylist(packed), arrays, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        np.arange(24.0).reshape(2, 3, 4) / 7,
        np.arange(-12, 12).reshape(2, 3, 4),
    ],
)
def test_datum_round_trip(array):
    datum = io.array_to_datum(array, label=3)
    assert (datum.channels, datum.height, datum.width, datum.label) == (2, 3, 4, 3)
    assert bool(datum.data) == (array.dtype == np.uint8)
    got = io.datum_to_array(caffe_pb2.Datum.FromString(datum.SerializeToString()))
    np.testing.assert_allclose(got, array, rtol=1e-6)
    unlabelled = io.array_to_datum(array)
    assert not unlabelled.HasField("label")
    assert len(unlabelled.SerializeToString()) < len(datum.SerializeToString())


def test_datums_that_do_not_fit():
    with pytest.raises(ValueError, match="channels x height x width"):
        io.array_to_datum(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="encoded"):
        io.datum_to_array(caffe_pb2.Datum(data=b"jpeg", encoded=True))
    with pytest.raises(ValueError):
        io.datum_to_array(caffe_pb2.Datum(channels=2, height=2, width=2, data=b"xx"))


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [(4, 6), (1, 6), (4, 1), (1, 1)])
@pytest.mark.parametrize("batch", [False, True])
def test_deprocess_inverts_preprocess_for_every_shape(channels, size, batch):
    t = io.Transformer({"data": (1, channels, *size)})
    t.set_transpose("data", (2, 0, 1))
    t.set_channel_swap("data", tuple(reversed(range(channels))))
    t.set_raw_scale("data", 255)
    t.set_mean("data", np.arange(channels) + 10.0)
    t.set_input_scale("data", 0.5)
    image = np.random.default_rng(0).random((*size, channels)).astype(np.float32)
    row = t.preprocess("data", image)
    assert row.shape == (channels, *size)
    np.testing.assert_allclose(
        t.deprocess("data", row[np.newaxis] if batch else row), image, atol=1e-5
    )
    np.testing.assert_allclose(t.deprocess("data", row.squeeze()), image, atol=1e-5)


def test_deprocess_takes_one_row():
    with pytest.raises(
        ImageError, match=r"takes one row of 'data'.*shape \(2, 3, 10, 12\).*data\[i\]"
    ):
        transformer().deprocess("data", np.zeros((2, 3, 10, 12)))


def test_a_mean_of_inputs_that_are_not_images():
    t = io.Transformer({"data": (5, 8)})
    t.set_mean("data", np.arange(8))
    np.testing.assert_array_equal(t.preprocess("data", np.arange(8)), np.zeros(8))
    np.testing.assert_array_equal(t.deprocess("data", np.zeros(8)), np.arange(8))


def test_a_path_in_place_of_a_mean():
    with pytest.raises(ImageError, match=r"not the path 'mean.npy': give np.load\(path\)"):
        transformer(mean="mean.npy")
