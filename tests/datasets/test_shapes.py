"""Drawn objects: each class has its shape, layouts are the official ones, seeds fix the bytes."""

import numpy as np
import pytest
from PIL import Image

from datasets.drawn import voc, youtube
from datasets.drawn.shapes.backdrop import SETTINGS, backdrop
from datasets.drawn.shapes.figures import FIGURES, IDS, clutter, figure_patch
from datasets.drawn.shapes.scene import Shot, still
from datasets.drawn.shapes.sheet import Sheet
from datasets.palette import voc_palette

SMALL = 192, 144
VOC = (
    "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike "
    "person pottedplant sheep sofa train tvmonitor"
).split()


def silhouette(figure, seed=1, **pose):
    patch = figure_patch(figure, [seed, 0, 9], (40.0, 40.0), 30, **pose)
    canvas, label = np.zeros((80, 80, 3), np.float32), np.zeros((80, 80), np.uint8)
    patch.paste(canvas, label, 1)
    return label > 0, canvas


def test_figures_come_in_the_order_of_voc():
    assert list(IDS) == VOC and list(IDS.values()) == list(range(1, 21))


@pytest.mark.parametrize("figure", (*FIGURES, clutter), ids=lambda figure: figure.__name__)
def test_a_figure_fills_its_unit_square_and_stays_within_its_sheet(figure):
    for seed in range(4):
        mask, color = silhouette(figure, seed)
        rows, columns = np.nonzero(mask)
        assert max(np.ptp(rows), np.ptp(columns)) > 15 and mask.sum() > 60
        assert min(rows.min(), columns.min()) > 0 and max(rows.max(), columns.max()) < 79
        assert color.std() > 1  # it has parts or texture, not one flat colour


def test_shape_tells_the_classes_apart():
    masks = np.array([silhouette(figure)[0] for figure in FIGURES])
    for i in range(len(masks)):
        for j in range(i):
            overlap = (masks[i] & masks[j]).sum() / (masks[i] | masks[j]).sum()
            assert overlap < 0.8, (VOC[i], VOC[j], overlap)


def test_color_does_not_determine_the_class():
    means = []
    for seed in range(12):
        mask, color = silhouette(FIGURES[IDS["cow"] - 1], seed)
        means.append(color[mask].mean(axis=0))
    assert (np.std(means, axis=0) > 25).all()


def test_mirrored_figures_face_the_other_way():
    mask, _ = silhouette(FIGURES[IDS["horse"] - 1])
    turned, _ = silhouette(FIGURES[IDS["horse"] - 1], mirror=True)
    both = (mask[:, ::-1] & turned).sum() / (mask[:, ::-1] | turned).sum()
    assert both > 0.9 > (mask & turned).sum() / (mask | turned).sum()


@pytest.mark.parametrize("name", ("bird", "cat", "cow", "dog", "horse", "sheep", "person"))
def test_animals_move_and_keep_their_looks(name):
    figure = FIGURES[IDS[name] - 1]
    before, color = silhouette(figure, seed=3, phase=0.0)
    after, again = silhouette(figure, seed=3, phase=1.5)
    assert 0 < (before ^ after).sum()
    both = before & after
    assert both.sum() > 0.4 * (before | after).sum()
    assert np.median(abs(color - again)[both]) < 3


def test_wheels_are_seen_through_and_labelled():
    sheet = Sheet((20.0, 20.0), 15)
    sheet.wheel(0, 0, 0.8, 0.1, (200, 0, 0), turn=0)
    patch = sheet.patch(np.random.default_rng(0))
    middle = len(patch.mask) // 2
    assert patch.mask[middle, middle] and patch.opaque[middle, middle] == 0
    assert patch.mask.sum() == pytest.approx(np.pi * 12**2, rel=0.1)


def test_sheet_places_and_turns_what_is_drawn():
    sheet = Sheet((30.0, 20.0), 10, angle=np.pi / 2)  # x now points upwards
    sheet.box(0.0, -0.2, 1.0, 0.2, (255, 255, 255))
    label = np.zeros((40, 60), np.uint8)
    patch = sheet.patch(np.random.default_rng(0))
    patch.paste(np.zeros((40, 60, 3), np.float32), label, 7)
    rows, columns = np.nonzero(label == 7)
    assert rows.min() == pytest.approx(10, abs=1) and rows.max() == pytest.approx(19, abs=1)
    assert columns.min() == pytest.approx(28, abs=1) and columns.max() == pytest.approx(31, abs=1)
    assert patch.foot() == rows.max() + 1


def test_patch_outside_the_picture_leaves_it_alone():
    canvas = np.full((20, 20, 3), 9, np.float32)
    figure_patch(FIGURES[0], [1, 1], (300.0, -200.0), 10).paste(canvas)
    assert (canvas == 9).all()


@pytest.mark.parametrize("setting", SETTINGS)
def test_backdrops_differ_and_fill_the_picture(setting):
    first, horizon = backdrop(np.random.default_rng(0), setting, SMALL)
    second, _ = backdrop(np.random.default_rng(1), setting, SMALL)
    assert first.shape == (144, 192, 3) and 0 < horizon <= 144
    assert first.std() > 5 and abs(first - second).mean() > 5


def test_stills_hold_several_classes_and_occlusion():
    counts, classes = [], set()
    for number in range(20):
        photo, instances, ids = still([2, 0, number], FIGURES[number], SMALL)
        assert photo.shape == (144, 192, 3) and photo.dtype == np.uint8
        assert number + 1 in ids and instances.max() < len(ids)
        counts.append(len(np.unique(instances)) - 1)
        classes |= set(ids[np.unique(instances)].tolist())
    assert max(counts) >= 3 and min(counts) >= 1
    assert len(classes - {0}) >= 19


def test_a_shot_moves_as_hand_held_video_does():
    near, far = [], []
    for number, name in enumerate(("cow", "car", "bird", "boat")):
        shot = Shot([9, 0, number], FIGURES[IDS[name] - 1], SMALL)
        masks = {index: shot.frame(index)[1] for index in (20, 21, 30, 31)}
        assert masks[20].mean() > 0.01
        near += [(masks[a] ^ masks[a + 1]).mean() for a in (20, 30)]
        far += [(masks[a] ^ masks[a + 10]).mean() for a in (20, 21)]
    assert 0.003 < np.mean(near) < 0.05 and np.mean(far) > 2 * np.mean(near)


def test_a_frame_does_not_depend_on_those_before():
    shot = Shot([9, 0, 5], FIGURES[7], SMALL)
    for _ in range(2):
        shot.frame(3)
    photo, mask = shot.frame(40)
    again, same = Shot([9, 0, 5], FIGURES[7], SMALL).frame(40)
    assert np.array_equal(photo, again) and np.array_equal(mask, same)


def files(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_voc_writes_the_official_layout(tmp_path):
    for number in range(2):
        voc.render(tmp_path, 0, "val", number, SMALL)
    voc.finish(tmp_path, {"val": 2, "train": 0})
    lists = tmp_path / "ImageSets" / "Segmentation"
    assert (lists / "val.txt").read_text() == (lists / "seg11valid.txt").read_text()
    ids = (lists / "val.txt").read_text().split()
    assert len(ids) == 2 and (lists / "train.txt").read_text() == ""
    for k, name in enumerate(ids):
        assert Image.open(tmp_path / f"JPEGImages/{name}.jpg").size == SMALL
        label = Image.open(tmp_path / f"SegmentationClass/{name}.png")
        assert label.mode == "P" and label.size == SMALL
        assert label.getpalette()[:63] == voc_palette().colors[:21].ravel().tolist()
        found = set(np.unique(np.asarray(label)).tolist())
        assert k + 1 in found and 255 in found and found <= {*range(21), 255}


def test_a_thin_ring_separates_objects():
    instances = np.zeros((9, 12), np.uint8)
    instances[2:7, 3:6], instances[2:7, 6:10] = 1, 2
    ring = voc._ring(instances)
    assert ring[4].tolist() == [c in (2, 3, 5, 6, 9, 10) for c in range(12)]


def test_youtube_writes_the_official_layout(tmp_path, monkeypatch):
    monkeypatch.setattr(youtube, "FRAMES", 3)
    youtube.render(tmp_path, 0, "test", 12, SMALL)
    youtube.finish(tmp_path, {"test": 13, "train": 1})
    shots = (tmp_path / "test.txt").read_text().split()
    assert len(set(shots)) == 13 and shots[12] == "boat/0002/001"
    assert (tmp_path / "train.txt").read_text() == "aeroplane/1001/001\n"
    folder = "boat/data/0002/shots/001"
    assert set(files(tmp_path)) == {
        "test.txt",
        "train.txt",
        *(f"v1/{folder}/frame000{k}.jpg" for k in (1, 2, 3)),
        *(f"youtube_masks/{folder}/labels/0000{k}.jpg" for k in (1, 2, 3)),
    }
    mask = Image.open(tmp_path / f"youtube_masks/{folder}/labels/00002.jpg")
    assert mask.mode == "L" and mask.size == SMALL
    drawn = Shot([youtube._SEEDS["test"], 0, 12], FIGURES[IDS["boat"] - 1], SMALL).frame(1)[1]
    assert np.array_equal(np.asarray(mask) > 15, drawn)  # the JPEG keeps the mask exactly


@pytest.mark.parametrize("writer, test, train", [(voc, "val", "train"), (youtube, "test", "train")])
def test_bytes_depend_on_split_seed_and_number_alone(tmp_path, monkeypatch, writer, test, train):
    monkeypatch.setattr(youtube, "FRAMES", 1)
    runs = [(0, test, 0), (0, test, 0), (1, test, 0), (0, train, 0)]
    pixels = []
    for k, (seed, split, number) in enumerate(runs):
        writer.render(tmp_path / str(k), seed, split, number, SMALL)
        pixels.append(sorted(files(tmp_path / str(k)).values()))
    assert pixels[0] == pixels[1]
    assert pixels[0] != pixels[2] and pixels[0] != pixels[3]
