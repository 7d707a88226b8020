"""datasets.check on a toy copy of each layout: complete, damaged, and without any data."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from datasets.check import check, main, recognise
from datasets.sources import SOURCES

SHOT = "dog/data/0002/shots/001"


def image(path, shape=(60, 80, 3), value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(shape, value, np.uint8)).save(path)


def snippet_frame(n):
    """Return the path of frame `n` of the Cityscapes snippet in its split."""
    return f"ulm/ulm_000002_{n:06d}_leftImg8bit.png"


def output(capsys):
    """Return the printed text with all white space, including line breaks, as single spaces."""
    return " ".join(capsys.readouterr().out.split())


def text(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def write_voc(root):
    for idx in ("2011_1", "2011_2", "2011_3"):
        image(root / "JPEGImages" / f"{idx}.jpg")
        image(root / "SegmentationClass" / f"{idx}.png", (60, 80))
    lists = root / "ImageSets" / "Segmentation"
    text(lists / "train.txt", "2011_1")
    for split in ("val", "seg11valid"):
        text(lists / f"{split}.txt", "2011_2", "2011_3")


def write_nyud(root):
    for n, split in enumerate(("train", "val", "test"), 5001):
        image(root / "images" / f"img_{n}.png", (30, 40, 3))
        (root / "segmentation").mkdir(exist_ok=True)
        savemat(root / "segmentation" / f"img_{n}.mat", {"segmentation": np.ones((30, 40), "u1")})
        text(root / f"{split}.txt", n)
    for n in range(4):
        image(root / "raw" / "office_0001" / f"r-{n}.5-{n}.ppm", (36, 48, 3))
    text(root / "test_rawImages.txt", "office_0001/r-2.5-2.ppm")


def write_youtube(root):
    for n in range(1, 4):
        image(root / "v1" / SHOT / f"frame{n:04d}.jpg")
        image(root / "youtube_masks" / SHOT / "labels" / f"{n:05d}.jpg", (60, 80))
    text(root / "test.txt", "dog/0002/001")


def write_cityscapes(root):
    for n in range(20):
        image(root / "leftImg8bit_sequence" / "val" / snippet_frame(n))
    image(root / "leftImg8bit" / "val" / snippet_frame(19))
    image(root / "gtFine" / "val" / "ulm" / "ulm_000002_000019_gtFine_labelIds.png", (60, 80), 7)


def write_camvid(root):
    for split in ("train", "val"):
        for n in range(2):
            image(root / split / f"0001_{n:05d}.png")
            image(root / f"{split}annot" / f"0001_{n:05d}.png", (60, 80))


WRITE = {
    "voc": write_voc,
    "nyud": write_nyud,
    "youtube": write_youtube,
    "cityscapes": write_cityscapes,
    "camvid": write_camvid,
}

COMPLETE = {
    "voc": ["files: images 3, labels 3", "train: images listed 1", "seg11valid: images listed 2"],
    "nyud": [
        "files: images 3, labels 3",
        "raw: videos 1, frames 4",
        "val: images listed 1",
        "test_rawImages: frames listed 1",
    ],
    "youtube": [
        "v1: classes 1, videos 1, shots 1, frames 3",
        "test: shots listed 1",
        "youtube_masks: classes 1, videos 1, shots 1, masks 3",
        "classes that have no masks here: aeroplane",
    ],
    "cityscapes": ["val: images 1, labels 1, frames of video 20"],
    "camvid": ["train: frames 2, labels 2", "val: frames 2, labels 2"],
}

# (dataset, file to remove, fault that the report must name)
REMOVED = [
    ("voc", "ImageSets/Segmentation/seg11valid.txt", "no ImageSets/Segmentation/seg11valid.txt"),
    ("voc", "ImageSets/Segmentation/train.txt", "train.txt"),
    ("voc", "JPEGImages/2011_2.jpg", "labels without their image: 1 (2011_2)"),
    ("voc", "JPEGImages/2011_2.jpg", "images of val.txt that are not there: 1 (2011_2)"),
    ("voc", "SegmentationClass/2011_1.png", "images of train.txt without a label: 1 (2011_1)"),
    ("nyud", "images/img_5001.png", "images of train that are not there: 1 (5001)"),
    ("nyud", "segmentation/img_5003.mat", "images of test without a label: 1 (5003)"),
    ("nyud", "val.txt", "val.txt: no such"),
    ("nyud", "test_rawImages.txt", "test_rawImages.txt"),
    (
        "nyud",
        "raw/office_0001/r-2.5-2.ppm",
        "raw frames of test that are not there: 1 (office_0001/r-2.5-2)",
    ),
    ("youtube", f"v1/{SHOT}/frame0002.jpg", "masks without their frame: 1 (dog/0002/001/00002)"),
    (
        "cityscapes",
        f"leftImg8bit_sequence/val/{snippet_frame(3)}",
        "labelled frames of val without the 19 frames before: 1 (ulm_000002_000019)",
    ),
    ("camvid", "val/0001_00001.png", "labels of val without their frame: 1 (0001_00001)"),
    ("camvid", "trainannot/0001_00001.png", "frames of train without a label: 1 (0001_00001)"),
]

# (dataset, image to overwrite, fault that the report must name)
DAMAGED = [
    ("voc", "SegmentationClass/2011_1.png", "2011_1.png: the label is 5 x 4"),
    ("youtube", f"youtube_masks/{SHOT}/labels/00001.jpg", "00001.jpg: the mask is 5 x 4"),
    ("nyud", "images/img_5001.png", "img_5001.mat: the label is 40 x 30"),
    ("cityscapes", "gtFine/val/ulm/ulm_000002_000019_gtFine_labelIds.png", "the label is 5 x 4"),
    ("camvid", "valannot/0001_00000.png", "the label is 5 x 4"),
]


@pytest.mark.parametrize("name", WRITE)
def test_complete(name, tmp_path, capsys):
    WRITE[name](tmp_path)
    assert main([str(tmp_path)]) == 0
    printed = output(capsys)
    assert printed.startswith(f"{tmp_path}: {name} ") and "all in order" in printed
    for line in COMPLETE[name]:
        assert line in printed
    assert "to get it" not in printed


@pytest.mark.parametrize("name, file, fault", REMOVED)
def test_missing_file(name, file, fault, tmp_path, capsys):
    WRITE[name](tmp_path)
    (tmp_path / file).unlink()
    assert main([str(tmp_path)]) == 1
    printed = output(capsys)
    assert fault in printed and f"to get it: {SOURCES[name][1]}" in printed


def test_report_of_a_miniature_tells_how_to_render_it(tmp_path, capsys):
    write_voc(tmp_path)
    text(tmp_path / "manifest.json", "{}")
    (tmp_path / "JPEGImages" / "2011_1.jpg").unlink()
    assert main([str(tmp_path)]) == 1
    assert f"to get it: python -m datasets.miniature voc --root {tmp_path}" in output(capsys)


@pytest.mark.parametrize("name, file, fault", DAMAGED)
def test_size_mismatch(name, file, fault, tmp_path, capsys):
    WRITE[name](tmp_path)
    image(tmp_path / file, (4, 5))
    assert main([str(tmp_path)]) == 1
    assert fault in output(capsys)


def test_cityscapes_without_video(tmp_path):
    write_cityscapes(tmp_path)
    (tmp_path / "leftImg8bit_sequence").rename(tmp_path / "elsewhere")
    (report,) = check(tmp_path)
    assert report.faults == ["no leftImg8bit_sequence/val/: without it there is no video"]


@pytest.mark.parametrize("marker", ["leftImg8bit_sequence", "SegmentationClass", "youtube_masks"])
def test_almost_empty_dataset(marker, tmp_path, capsys):
    (tmp_path / marker).mkdir()
    assert main([str(tmp_path)]) == 1
    assert "missing or wrong" in output(capsys)


def test_long_lists_are_shortened(tmp_path):
    write_voc(tmp_path)
    for n in range(7):
        image(tmp_path / "SegmentationClass" / f"2010_{n}.png", (6, 8))
    (report,) = check(tmp_path)
    assert report.faults == [
        "labels without their image: 7 (2010_0, 2010_1, 2010_2, 2010_3, 2010_4 and 2 more)"
    ]


def test_subfolders_are_searched(tmp_path):
    write_voc(tmp_path / "VOCdevkit" / "VOC2011")
    write_camvid(tmp_path / "CamVid")
    write_camvid(tmp_path / "too" / "far" / "below")
    assert recognise(tmp_path) == [
        ("camvid", tmp_path / "CamVid"),
        ("voc", tmp_path / "VOCdevkit" / "VOC2011"),
    ]


@pytest.mark.parametrize("root", ["", "nowhere"])
def test_no_dataset_is_recognised(root, tmp_path, capsys):
    assert main([str(tmp_path / root)]) == 2
    printed = output(capsys)
    for name, (layout, fetch) in SOURCES.items():
        assert f"{name}: has {layout}" in printed and fetch in printed


def test_real_data(shared, capsys):
    assert main([str(shared / "camvid")]) == 0
    assert "val: frames 101, labels 101" in output(capsys)
    assert main([str(shared / "samples" / "cityscapes")]) == 1  # two frames of each snippet
    assert "labelled frames of val without the 19 frames before: 2 (" in output(capsys)
