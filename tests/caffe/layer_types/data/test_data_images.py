"""ImageData: lists of image files, decoded and resized as by OpenCV; order and damage."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

import caffe
from caffe.errors import DataError
from caffe.layer_types.data import images
from tests.caffe.layer_types.data.source_files import noise


def image_layer(source, root="", batch=1, data="", more=""):
    return (
        f'layer {{ name: "data" type: "ImageData" top: "data" top: "label" {more} '
        f'image_data_param {{ source: "{source}" root_folder: "{root}" batch_size: {batch} '
        f"{data} }} }}"
    )


@pytest.fixture
def image_net(make_net, tmp_path):
    """Return image_net(images, ...): a Net over files "image 0.png", ... with labels 0, ..."""

    def image_net(pictures, batch=2, data="", more="", phase=caffe.TEST, lines=None):
        for i, picture in enumerate(pictures):
            Image.fromarray(picture).save(tmp_path / f"image {i}.png")
        source = tmp_path / "list.txt"
        source.write_text(lines or "".join(f"image {i}.png {i}\n" for i in range(len(pictures))))
        return make_net(image_layer(source, f"{tmp_path}/", batch, data, more), phase)

    return image_net


def test_the_order_of_the_list_and_wrap_around(image_net):
    pictures = noise(3, 4, 6, 3)
    net = image_net(pictures)
    assert net.blobs["data"].shape == (2, 3, 4, 6) and net.blobs["label"].shape == (2,)
    for wanted in ([0, 1], [2, 0], [1, 2]):
        out = net.forward()
        np.testing.assert_array_equal(out["label"], wanted)
        np.testing.assert_array_equal(
            out["data"], pictures[wanted][..., ::-1].transpose(0, 3, 1, 2)
        )


def test_only_batches_of_one_image_may_differ_in_shape(image_net):
    net = image_net([noise(4, 6, 3), noise(5, 2, 3)], data="")
    with pytest.raises(DataError, match=r"list.txt:2: has shape \(3, 5, 2\) where the batch began"):
        net.forward()
    net = image_net([noise(4, 6, 3), noise(5, 2, 3)], batch=1)
    assert [net.forward()["data"].shape for _ in range(3)] == [
        (1, 3, 4, 6),
        (1, 3, 5, 2),
        (1, 3, 4, 6),
    ]


def test_shuffling_shows_each_image_once_per_epoch_in_a_new_order(image_net):
    pictures = noise(8, 2, 2, 3)

    def epochs(seed):
        caffe.set_random_seed(seed)
        net = image_net(pictures, batch=4, data="shuffle: true")
        seen = []
        for _ in range(6):
            out = net.forward()
            for image, label in zip(out["data"], out["label"]):
                np.testing.assert_array_equal(image[::-1].transpose(1, 2, 0), pictures[int(label)])
            seen.extend(out["label"].astype(int).tolist())
        return [seen[k : k + 8] for k in (0, 8, 16)]

    first = epochs(0)
    assert all(sorted(r) == list(range(8)) for r in first)
    assert first[0] != first[1] != first[2] and first[0] != list(range(8))
    assert epochs(0) == first and epochs(1) != first


def test_rand_skip(image_net):
    begun = set()
    for seed in range(10):
        caffe.set_random_seed(seed)
        begun.add(
            int(image_net(noise(5, 2, 2, 3), batch=1, data="rand_skip: 3").forward()["label"][0])
        )
    assert begun <= {0, 1, 2} and len(begun) > 1


def test_grey_and_colour(image_net):
    colour, grey = noise(4, 5, 3), noise(4, 5)
    assert image_net([grey], batch=1).forward()["data"].shape == (1, 3, 4, 5)
    out = image_net([colour], batch=1, data="is_color: false").forward()["data"]
    assert out.shape == (1, 1, 4, 5)
    np.testing.assert_allclose(out[0, 0], colour @ [0.299, 0.587, 0.114], atol=0.51)


def test_resized_cropped_and_scaled(image_net):
    net = image_net(
        [noise(9, 7, 3), noise(5, 8, 3)],
        data="new_height: 6 new_width: 6",
        more="transform_param { crop_size: 4 scale: 0.5 mean_value: 100 }",
    )
    out = net.forward()["data"]
    assert out.shape == (2, 3, 4, 4)
    whole = images.resize(noise(9, 7, 3)[:, :, ::-1].transpose(2, 0, 1), 6, 6)
    np.testing.assert_allclose(out[0], (whole[:, 1:5, 1:5] - 100.0) * 0.5)


@pytest.mark.parametrize("size", [(4, 5), (7, 7), (13, 9), (20, 30), (3, 31), (1, 1), (40, 60)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resizing_equals_opencvs(size, channels):
    cv2 = pytest.importorskip("cv2")
    image = noise(20, 30, channels)
    wanted = cv2.resize(image, size[::-1]).reshape(*size, channels).transpose(2, 0, 1)
    got = images.resize(image.transpose(2, 0, 1), *size)
    assert got.dtype == np.uint8 and got.shape == (channels, *size)
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1", "I;16"])
@pytest.mark.parametrize("colour", [True, False, None])
def test_decoding_equals_opencvs(tmp_path, mode, colour):
    cv2 = pytest.importorskip("cv2")
    if mode == "I;16":
        picture = Image.fromarray(noise(6, 5).astype(np.uint16) * 256 + 77)
    else:
        picture = Image.fromarray(noise(6, 5, 4), "RGBA").convert("RGB" if mode == "P" else "RGBA")
        picture = picture.convert(mode)
    path = str(tmp_path / "image.png")
    picture.save(path)
    flag = {True: cv2.IMREAD_COLOR, False: cv2.IMREAD_GRAYSCALE, None: cv2.IMREAD_UNCHANGED}[colour]
    wanted = cv2.imread(path, flag)
    if mode == "I;16" and colour is None:  # Caffe has 8 bits only
        with pytest.raises(DataError, match="more than 8 bits"):
            images.decode(path, "here", colour)
        return
    got = images.decode(path, "here", colour)
    wanted = wanted.reshape(6, 5, -1).transpose(2, 0, 1)
    assert got.shape == wanted.shape and got.dtype == np.uint8
    assert np.abs(got.astype(int) - wanted).max() <= (1 if colour is False else 0)


@pytest.mark.parametrize("form", ["BMP", "JPEG", "PPM", "TIFF", "WEBP", "PNG"])
def test_formats(tmp_path, form):
    Image.fromarray(np.full((9, 8, 3), (200, 100, 50), np.uint8)).save(tmp_path / "x", form)
    out = images.decode(str(tmp_path / "x"), "here", True)
    assert np.abs(out[:, 4, 4].astype(int) - [50, 100, 200]).max() < 6


def test_executable_formats_are_refused(tmp_path):
    Image.fromarray(noise(4, 4, 3)).save(tmp_path / "x.eps")
    with pytest.raises(DataError, match="here: is not an image that can be read"):
        images.decode(str(tmp_path / "x.eps"), "here", True)


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x"])
def test_what_a_file_holds_counts_not_its_name(tmp_path, name):
    """Pillow would start Ghostscript for this, which never ends."""
    (tmp_path / name).write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n{} loop\n")
    with pytest.raises(DataError, match="here: is not an image that can be read"):
        images.decode(str(tmp_path / name), "here", True)
    Image.fromarray(noise(4, 4, 3)).save(tmp_path / name, "BMP")
    assert images.decode(str(tmp_path / name), "here", True).shape == (3, 4, 4)


@pytest.mark.parametrize("form", ["GIF", "ICO", "TGA", "PCX", "SGI", "DDS"])
def test_other_formats_are_refused(tmp_path, form):
    Image.fromarray(noise(32, 32, 3)).save(tmp_path / "x", form)
    with pytest.raises(DataError, match="here: is not an image that can be read"):
        images.decode(str(tmp_path / "x"), "here", True)


def test_a_jpeg_of_many_scans(tmp_path):
    """Each scan of a progressive JPEG goes through all pixels again, and takes a few bytes."""
    content = io.BytesIO()
    Image.new("RGB", (3000, 3000)).save(content, "JPEG", progressive=True)
    content = content.getvalue()
    scan = content[content.rfind(b"\xff\xda") : -2]
    assert images.decode(io.BytesIO(content), "here", True).shape == (3, 3000, 3000)
    with pytest.raises(DataError, match="here: is a JPEG of 3000 x 3000 pixels in .* scans"):
        images.decode(io.BytesIO(content[:-2] + scan * 200 + content[-2:]), "here", True)


def test_a_tile_larger_than_the_image(tmp_path):
    """A tile is decoded as a whole: 900 million pixels for an image of one."""
    tags = {256: 1, 257: 1, 258: 8, 259: 8, 262: 1, 277: 1, 322: 30000, 323: 30000, 324: 8, 325: 0}
    entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags.items())
    head = struct.pack("<2sHLH", b"II", 42, 8, len(tags))
    (tmp_path / "x").write_bytes(head + entries + bytes(4))
    with pytest.raises(DataError, match="30000 x 30000 pixels in a tile"):
        images.decode(str(tmp_path / "x"), "here", True)


def test_grey_and_alpha_is_grey(tmp_path):
    """Without colour there is one channel, and alpha is dropped, as OpenCV does it."""
    grey = noise(5, 6)
    Image.merge("LA", (Image.fromarray(grey), Image.fromarray(noise(5, 6, seed=1)))).save(
        tmp_path / "x", "PNG"
    )
    np.testing.assert_array_equal(images.decode(str(tmp_path / "x"), "here", False), grey[None])


@pytest.mark.parametrize(
    "lines, words",
    [
        ("image 0.png\n", r"list.txt:1: 'image 0.png' is not a path, a space and a whole number"),
        ("image 0.png 1\n\n\nimage 0.png 1.5\n", "list.txt:4: "),
        ("image 0.png 99999999999\n", "list.txt:1: "),
        ("  \n\n", "has only blank lines"),
        (
            "none.png 3\n",
            "list.txt:1: there is no image file .*none.png: correct the line, or root",
        ),
        ("\0\1\2", "is a binary file"),
        ("list.txt 0\n", "list.txt:1: .*list.txt: is not an image"),
    ],
)
def test_lists_that_do_not_work(image_net, lines, words):
    with pytest.raises(DataError, match=r"layer 'data' \(ImageData\): .*" + words):
        image_net([noise(4, 5, 3)], lines=lines)


@pytest.mark.parametrize(
    "source, words",
    [
        ("", "gives no source"),
        (".", "is a folder"),
        ("/none", "no such list of images"),
        ("/dev/zero", "is a device, which may never end"),
    ],
)
def test_sources_that_are_not_lists(make_net, source, words):
    with pytest.raises(DataError, match=words):
        make_net(image_layer(source))


@pytest.mark.parametrize(
    "data, words",
    [
        ("new_height: 3", "one of new_height and new_width"),
        ("new_height: 100000 new_width: 4000000000", "make it smaller"),
    ],
)
def test_sizes_that_do_not_work(image_net, data, words):
    with pytest.raises(DataError, match=words):
        image_net([noise(4, 5, 3)], data=data)


def test_a_small_file_that_claims_to_be_a_huge_image(tmp_path):
    huge = Image.new("1", (20000, 20000))  # 20 kB as PNG
    huge.save(tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size < 100_000
    with pytest.raises(DataError, match="20000 x 20000 pixels|here: is not an image .*bomb"):
        images.decode(str(tmp_path / "x.png"), "here", True)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "BMP", "PPM", "WEBP"])
def test_a_damaged_image_raises_only_data_errors(tmp_path, form):
    path = tmp_path / "x"
    Image.fromarray(noise(12, 11, 3)).save(path, form)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for trial in range(60):
        bad = bytearray(content)
        for k in rng.integers(len(bad), size=1 + trial % 4):
            bad[k] = rng.integers(256)
        path.write_bytes(bad[: rng.integers(len(bad))] if trial % 5 == 0 else bad)
        try:
            assert images.decode(str(path), "here", True).shape[0] == 3
        except DataError as e:
            assert str(e).startswith("here: ")


def test_data_layers_of_the_first_generation(image_net, make_net, tmp_path):
    image_net([noise(4, 5, 3)])
    source = tmp_path / "absolute.txt"
    source.write_text(f"{tmp_path}/image 0.png 0")
    net = make_net(
        f'layers {{ layer {{ name: "data" type: "images" source: "{source}" batchsize: 1 '
        'new_height: 6 new_width: 6 cropsize: 3 scale: 0.5 } top: "data" top: "label" }'
    )
    assert net.forward()["data"].shape == (1, 3, 3, 3)
