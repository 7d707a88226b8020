"""Rendered rooms: solids against geometry by hand, statistics of the labels, the files written."""

import numpy as np
import pytest
from PIL import Image

from datasets.drawn import nyud as writer
from datasets.drawn.render import Camera, Canvas
from datasets.drawn.rooms import classes, materials
from datasets.drawn.rooms.kinds import KINDS
from datasets.drawn.rooms.layout import Room
from datasets.drawn.rooms.scene import Scene, without_outlines
from datasets.drawn.rooms.solids import Billboard, Board, box, panel, place
from datasets.nyud_seg import nyud

TILE = np.full((materials.TEXELS, materials.TEXELS, 3), 100, np.float32)
SMALL = 64, 48


def view(quads, position=(0.0, 1.0, 0.0), yaw=0.0):
    """What a camera of focal length 10 sees of `quads`, with 40 x 20 pixels."""
    canvas = Canvas(Camera(np.array(position), yaw, focal=10.0, width=40, height=20, horizon=10.0))
    canvas.draw(quads)
    return canvas


def test_box_covers_the_pixels_of_its_front():
    canvas = view(box(TILE, classes.BOX, (-1, 1), (0, 1), (5, 6)))
    rows, columns = np.nonzero(canvas.label == classes.BOX)
    # The front is 5 m away, 2 pixels per metre; the top is at eye level and seen edge on.
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 11, 18, 21)
    assert canvas.nearness[10, 20] == pytest.approx(1 / 5)


@pytest.mark.parametrize("yaw", np.arange(0, 6.3, np.pi / 4))
def test_box_is_closed_from_all_sides(yaw):
    x, z = -4 * np.sin(yaw), -4 * np.cos(yaw)
    canvas = view(box(TILE, classes.BOX, (-0.5, 0.5), (0, 1.5), (-0.5, 0.5)), (x, 1.0, z), yaw)
    nearest = canvas.nearness[10, 20]
    assert canvas.label[10, 20] == classes.BOX
    assert 1 / 3.6 < nearest < 1 / 3.2  # the near face, not the far one


def test_underside_is_drawn_only_on_request():
    shelf = (-1, 1), (1.8, 1.9), (3, 4)
    for below in (False, True):
        canvas = view(box(TILE, classes.SHELVES, *shelf, below=below), (0, 0.5, 0))
        # The front's lower edge is in row 10 - 1.3 / 3 * 10 = 5.7, the underside's far one in 6.75.
        assert (canvas.label[6, 20] == classes.SHELVES) == below


def test_place_turns_to_the_right_and_then_moves():
    picture = panel(Board(TILE, classes.PICTURE, 1, 1).texture(), (-1, 1), (0, 1), 0)
    figure = Billboard(np.array((0.0, 0.0, 1.0)), 1, 1, picture.texture)
    placed, moved = place([picture, figure], 3, 0, 4, np.pi / 2)
    # When facing +x, +z is to the left.
    np.testing.assert_allclose(placed.corner, (3, 0, 5), atol=1e-12)
    np.testing.assert_allclose(placed.right, (0, 0, -2), atol=1e-12)
    np.testing.assert_allclose(moved.foot, (4, 0, 4), atol=1e-12)


def test_billboard_faces_the_camera_wherever_it_looks():
    texture = Board(TILE, classes.LAMP, 1, 1).texture()
    right = np.array((np.cos(0.7), 0, -np.sin(0.7)))
    quad = Billboard(np.array((1.0, 0.0, 2.0)), 2, 1, texture).quad(right)
    np.testing.assert_allclose(quad.corner + quad.right / 2, (1, 0, 2))
    np.testing.assert_allclose(quad.right, 2 * right)


def test_board_is_painted_in_metres_from_the_lower_left():
    board = Board(TILE, classes.BOOKSHELF, 2, 1, scale=10)
    board.paint(0, 0, 0.5, 0.2, (1, 2, 3), classes.BOOKS)
    board.shade(1.5, 0.5, 2, 1, 0.5)
    color, label, _ = board.texture().level(1)
    assert label.shape == (10, 20)
    assert label[9, 0] == label[8, 4] == classes.BOOKS and color[9, 0].tolist() == [1, 2, 3]
    assert label[7, 0] == label[9, 5] == classes.BOOKSHELF
    assert color[0, 19, 0] == 50 and color[9, 19, 0] == 100


@pytest.mark.parametrize(
    "make",
    [
        materials.wood,
        materials.fabric,
        materials.paint,
        materials.enamel,
        materials.metal,
        materials.stone,
        materials.tiles,
        materials.carpet,
    ],
)
def test_materials_are_tiles_of_colours_and_vary(make):
    tiles = [make(np.random.default_rng(seed)) for seed in range(4)]
    for tile in tiles:
        assert tile.shape == TILE.shape and tile.min() >= 0 and tile.max() <= 255
    assert len({tile.mean().round(3) for tile in tiles}) == 4


def test_furniture_stays_within_the_walls():
    for number, kind in enumerate(KINDS):
        room = Room(np.random.default_rng(number), kind)
        middles = [
            part.foot if isinstance(part, Billboard) else part.corner + (part.right + part.up) / 2
            for part in room.parts
        ]
        x, y, z = np.transpose(middles)
        assert (abs(x) < room.width / 2 + 0.05).all() and (y < room.height + 0.5).all()
        assert z.max() < room.depth + 0.05
        walkway = (z > 0.4) & (z < 0.9) & (abs(x) < room.width / 2 - 1) & (y > 0.1) & (y < 2)
        assert not walkway.any()


@pytest.fixture(scope="module")
def rooms():
    """Labels of two successive frames and of a later one, for each of 24 rooms."""
    scenes = [Scene([3, number], number) for number in range(24)]
    return [[scene.frame(index, 160, 120)[1] for index in (10, 11, 23)] for scene in scenes]


def test_every_class_occurs(rooms):
    seen = np.unique([label for labels in rooms for label in labels])
    assert set(seen) >= set(range(1, 41)), set(range(1, 41)) - set(seen)


def test_walls_and_floor_dominate(rooms):
    share = np.bincount(np.ravel(rooms), minlength=41) / np.size(rooms)
    assert share.argmax() == classes.WALL and share[classes.WALL] < 0.5
    assert share[classes.FLOOR] > 0.08 and share[classes.CEILING] > 0.01
    assert share[classes.UNLABELLED] < 0.02


def test_the_camera_moves_a_little_from_frame_to_frame(rooms):
    changed = [(before != after).mean() for before, after, _ in rooms]
    assert 0.03 < np.mean(changed) < 0.06
    assert min(changed) > 0.005 and max(changed) < 0.15
    later = [(after != last).mean() for _, after, last in rooms]
    assert np.mean(later) > 2 * np.mean(changed)


def test_rooms_of_one_kind_differ():
    first, second = (Scene([0, number], 0).frame(0, *SMALL) for number in (0, 1))
    assert (first[1] != second[1]).mean() > 0.2
    again = Scene([0, 0], 0).frame(0, *SMALL)
    assert (first[0] == again[0]).all() and (first[1] == again[1]).all()


def test_outlines_are_left_unlabelled():
    label = np.full((4, 6), classes.WALL, np.uint8)
    label[2:, 3:] = classes.BED
    found = without_outlines(label)
    assert found.tolist() == [
        [1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 0, 4, 4],
    ]
    assert found.dtype == np.uint8 and label[2, 3] == classes.BED


def test_classes_are_in_the_order_of_the_dataset():
    values = [getattr(classes, name.replace(" ", "").upper()) for name in nyud.classes]
    assert values == list(range(1, 41))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """One room of each split, small."""
    root = tmp_path_factory.mktemp("nyud")
    for split in writer.UNITS:
        writer.render(root, 0, split, 0, SMALL)
    writer.finish(root, dict.fromkeys(writer.UNITS, 1))
    return root


def test_written_layout_is_read_back(root):
    data = nyud(root)
    assert len(data.list_vids()) == 3
    for split in writer.UNITS:
        frames = data.get_dset(split, raw=True)
        assert [data.list_frames(video).index(frame) for video, frame in frames] == [5, 11, 17, 23]
        assert len(data.list_frames(frames[0][0])) == writer.FRAMES
        for idx, frame in zip(data.get_dset(split), frames, strict=True):
            image = data.load_image(idx)
            assert image.size == (56, 42)
            assert image.tobytes() == data.crop_frame(data.load_raw_image(*frame)).tobytes()
            label = data.load_label(idx)
            assert label.shape == (1, 42, 56) and (label == 255).any() and (label == 0).any()


def test_times_in_file_names_order_the_frames():
    names = [writer.frame_name("test", 3, index) for index in range(writer.FRAMES)]
    times = [float(name.split("-")[1]) for name in names]
    assert (np.diff(times) > 0).all() and np.diff(times) * 86400 == pytest.approx(1 / 15, abs=1e-3)
    assert writer.frame_name("test", 3, 0) != writer.frame_name("val", 3, 0)


def test_ids_and_videos_of_all_splits_differ():
    units = [(split, number) for split in writer.UNITS for number in range(30)]
    ids = [id for unit in units for id in writer.image_ids(*unit)]
    assert len(set(ids)) == len(ids) and min(ids) == 5001
    assert len({writer.video_name(*unit) for unit in units}) == len(units)


def test_crop_is_the_official_window():
    assert writer.crop(640, 480) == (slice(44, 469), slice(40, 600))  # 425 x 560
    assert writer.crop(*writer.SIZE) == (slice(22, 234), slice(20, 300))
    pixels = np.arange(320 * 240 * 3).reshape(240, 320, 3).astype(np.uint8)
    read = np.asarray(nyud.crop_frame(None, Image.fromarray(pixels)))
    assert (read == pixels[writer.crop(320, 240)]).all()


def test_bytes_depend_on_the_seed_and_rooms_on_the_split(root, tmp_path):
    writer.render(tmp_path, 0, "val", 0, SMALL)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == writer.FRAMES + 2 * len(writer.LABELLED)
    for path in written:
        assert path.read_bytes() == (root / path.relative_to(tmp_path)).read_bytes()
    first, second = (
        sorted((root / "raw" / writer.video_name(split, 0)).glob("*"))[0]
        for split in ("test", "val")
    )
    assert first.read_bytes() != second.read_bytes()
