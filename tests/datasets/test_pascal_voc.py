"""PASCAL VOC: a toy copy of the official layout, the miniature, and real pairs if present."""

import numpy as np
import pytest
from PIL import Image

from datasets.errors import DatasetError
from datasets.miniature import miniature
from datasets.pascal_voc import pascal


def write_label(path, values):
    label = Image.fromarray(np.asarray(values, np.uint8))
    label.putpalette(np.asarray(pascal.palette).ravel().tolist())
    path.parent.mkdir(parents=True, exist_ok=True)
    label.save(path)


def write_image(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)


def write_list(root, split, names):
    path = root / "ImageSets" / "Segmentation" / f"{split}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in names))
    return path


@pytest.fixture
def real(shared_folder):
    """Folder of real samples."""
    return shared_folder("samples/voc")


@pytest.fixture
def toy(tmp_path):
    """A wide and a tall image, 30 x 20 and 20 x 30, whose labels hold 0, 15, 20 and 255."""
    wide = np.tile(np.repeat(np.array([0, 15, 20, 255, 0], np.uint8), 6), (20, 1))
    for name, label in (("2007_000001", wide), ("2011_000002", wide.T)):
        write_image(tmp_path / "JPEGImages" / f"{name}.jpg", np.full((*label.shape, 3), 90))
        write_label(tmp_path / "SegmentationClass" / f"{name}.png", label)
    write_list(tmp_path, "seg11valid", ["2007_000001", "2011_000002"])
    write_list(tmp_path, "train", ["2011_000002"])
    return tmp_path


def test_lists_and_loads(toy):
    data = pascal(toy)
    assert data.get_dset() == data.get_dset(split="seg11valid") == ["2007_000001", "2011_000002"]
    assert data.get_dset("train") == ["2011_000002"]
    assert data.load_image("2007_000001").size == (30, 20)
    label = data.load_label("2007_000001")
    assert label.shape == (1, 20, 30) and label.dtype == np.uint8
    assert label[0, 0, ::6].tolist() == [0, 15, 20, 255, 0]
    assert data.palette(label).getpixel((7, 0)) == (192, 128, 128)  # person


def test_constants():
    assert len(pascal.classes) == len(pascal.palette) == 21
    assert [pascal.classes[k] for k in (0, 1, 15, 20)] == [
        "background",
        "aeroplane",
        "person",
        "tvmonitor",
    ]
    np.testing.assert_allclose(pascal.mean, [104.00698793, 116.66876762, 122.67891434])


def test_preprocess_takes_images_and_arrays(toy):
    data = pascal(toy)
    im = data.load_image("2007_000001")
    in_ = data.preprocess(im)
    assert in_.shape == (3, 20, 30) and in_.dtype == np.float32
    np.testing.assert_allclose(in_[:, 3, 3], 90 - data.mean, atol=2)  # JPEG is not exact
    np.testing.assert_array_equal(in_, data.preprocess(np.asarray(im)))


@pytest.mark.parametrize("shape, axis", [((20, 50), 1), ((50, 20), 0), ((50, 50), 0)])
def test_translated_frames_move_along_the_longer_side(toy, shape, axis):
    pixels = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    label = pixels[np.newaxis, :, :, 0]
    frames, labels = pascal(toy).make_translated_frames(
        Image.fromarray(pixels), label, shift=4, num_frames=6
    )
    length = 50 - 4 * 5
    for k in range(6):
        window = (slice(None), slice(4 * k, 4 * k + length))[:: 1 if axis else -1]
        assert (np.asarray(frames[k]) == pixels[window]).all()
        assert (labels[k] == label[(slice(None), *window)]).all()
    assert len(frames) == len(labels) == 6


def test_translated_frames_of_arrays_and_without_a_label(toy):
    im = pascal(toy).load_image("2007_000001")
    frames, labels = pascal(toy).make_translated_frames(np.asarray(im), None, shift=2, num_frames=3)
    assert [frame.size for frame in frames] == [(26, 20)] * 3 and labels == [None] * 3


def test_translated_frames_need_room(toy):
    data = pascal(toy)
    im, label = data.load_image("2007_000001"), data.load_label("2007_000001")
    with pytest.raises(DatasetError, match="30 x 20 pixels are too few for 6 frames 6 pixels"):
        data.make_translated_frames(im, label, shift=6, num_frames=6)
    with pytest.raises(DatasetError, match="2007_000001.jpg: 30 x 20 pixels are too few"):
        data.clips(shift=16, num_frames=6)
    with pytest.raises(DatasetError, match="at least 1 frame"):
        data.clips(shift=16, num_frames=0)


def test_boundaries_are_those_of_the_foreground(toy):
    label = np.zeros((1, 20, 40), np.uint8)
    label[..., 10:], label[..., 20:], label[..., 30:] = 3, 9, 255
    boundary = pascal(toy).make_boundaries(label, thickness=2)
    # between 3 and 9 there is no edge of the foreground; ignored pixels are background
    assert boundary.all(axis=0).nonzero()[0].tolist() == [8, 9, 10, 11, 28, 29, 30, 31]


def test_clips_are_translated_frames_with_labels(toy):
    data = pascal(toy)
    wide, tall = data.clips("seg11valid", shift=3, num_frames=4)
    assert (wide.name, len(wide), len(tall)) == ("voc/2007_000001", 4, 4)
    assert [in_.shape for in_, _ in tall] == [(3, 21, 20)] * 4
    frames, labels = data.make_translated_frames(
        data.load_image("2007_000001"), data.load_label("2007_000001"), shift=3, num_frames=4
    )
    for k, (in_, label) in enumerate(wide):
        np.testing.assert_array_equal(in_, data.preprocess(frames[k]))
        np.testing.assert_array_equal(label, labels[k][0])


def test_clips_fill_a_pipeline_before_they_are_scored(toy):
    for clip in pascal(toy).clips(shift=2, num_frames=4, warmup=2):
        assert [label is not None for _, label in clip] == [False, False, True, True]
        assert [label is not None for _, label in clip[1:]] == [False, True, True]
    for warmup in (4, -1):
        with pytest.raises(DatasetError, match=f"warmup={warmup}: give 0 or more, and less than"):
            pascal(toy).clips(shift=2, num_frames=4, warmup=warmup)


def test_missing_root_list_image_and_label(toy, tmp_path):
    with pytest.raises(DatasetError, match="(?s)no JPEGImages/.*VOCtrainval.*CLOCKWORK_VOC"):
        pascal(tmp_path / "nowhere")
    data = pascal(toy)
    with pytest.raises(DatasetError, match="val.txt: no such list; there is seg11valid, train"):
        data.get_dset("val")
    write_list(toy, "train", ["", ""])
    with pytest.raises(DatasetError, match="train.txt: the list is empty"):
        data.get_dset("train")
    (toy / "ImageSets" / "Segmentation" / "train.txt").write_bytes(b"\x89PNG\xff")
    with pytest.raises(DatasetError, match="train.txt: not a list of names"):
        data.get_dset("train")
    write_list(toy, "train", ["2008_000009"])
    with pytest.raises(DatasetError, match="2008_000009.jpg: no such file"):
        data.clips("train")
    (toy / "SegmentationClass" / "2007_000001.png").unlink()
    with pytest.raises(DatasetError, match="2007_000001.png: no such file"):
        data.load_label("2007_000001")
    (toy / "JPEGImages" / "2011_000002.jpg").unlink()
    with pytest.raises(DatasetError, match="2011_000002.jpg: no such file"):
        data.load_label("2011_000002")  # a mask without its image


def test_bad_label_and_damaged_image(toy):
    data, path = pascal(toy), toy / "SegmentationClass" / "2007_000001.png"
    write_label(path, np.full((20, 30), 21))
    with pytest.raises(DatasetError, match="2007_000001.png: label value 21"):
        data.load_label("2007_000001")
    write_label(path, np.zeros((10, 30)))
    with pytest.raises(DatasetError, match="label is 30 x 10 but its frame is 30 x 20"):
        data.load_label("2007_000001")
    image = toy / "JPEGImages" / "2007_000001.jpg"
    image.write_bytes(image.read_bytes()[:-200])
    with pytest.raises(DatasetError, match="2007_000001.jpg: damaged"):
        data.load_image("2007_000001")


def test_real_pairs(tmp_path, real):
    names = sorted(path.stem for path in real.glob("*.jpg"))
    for folder, suffix in (("JPEGImages", "jpg"), ("SegmentationClass", "png")):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / f"{name}.{suffix}").symlink_to(real / f"{name}.{suffix}")
    write_list(tmp_path, "seg11valid", names)
    data = pascal(tmp_path)
    classes_of = {
        "2007_004189": {"dog"},
        "2007_006449": {"bicycle"},
        "2008_002536": {"dog", "sheep"},
        "2010_005582": {"bottle", "person"},
    }
    assert data.get_dset() == list(classes_of)
    for idx, clip in zip(classes_of, data.clips(shift=32, num_frames=6), strict=True):
        size = data.load_image(idx).size
        label = data.load_label(idx)
        assert max(size) == 500 and label.shape == (1, *size[::-1])
        assert {data.classes[k] for k in np.unique(label) if 0 < k < 255} == classes_of[idx]
        assert 0.001 < data.make_boundaries(label, thickness=5).mean() < 0.5
        shape = tuple(side - 160 if side == 500 else side for side in size[::-1])
        assert [label.shape for _, label in clip] == [shape] * 6


def test_reads_the_miniature(tmp_path):
    data = pascal(miniature("voc", tmp_path / "voc", val=2, train=1, workers=1))
    assert data.get_dset() == data.get_dset("val") and len(data.get_dset()) == 2
    assert len(data.get_dset("train")) == 1 and data.get_dset("train")[0] not in data.get_dset()
    for idx, clip in zip(data.get_dset(), data.clips(shift=16, num_frames=6), strict=True):
        label = data.load_label(idx)
        assert data.load_image(idx).size == (384, 288) and label.shape == (1, 288, 384)
        assert len(np.unique(label)) > 2  # background, an object, and the ring around it
        assert {(in_.shape, label.shape) for in_, label in clip} == {((3, 288, 304), (288, 304))}
