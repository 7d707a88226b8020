"""The renderer: projection, occlusion, cut-outs and see-through surfaces, against hand geometry."""

import numpy as np
import pytest

from datasets.drawn.render import CLEAR, Camera, Canvas, Quad, Texture
from datasets.drawn.sketch import Sketch
from datasets.drawn.street.classes import FENCE, PERSON, WALL
from datasets.drawn.street.ground import TEXEL, Ground

FLAT = np.full((2, 2, 3), 100.0)


def camera(yaw=0.0, position=(0.0, 1.0, 0.0)):
    return Camera(np.array(position), yaw, focal=10.0, width=40, height=20, horizon=10.0)


def board(depth, texture, left=-1.0, width=2.0, **options):
    """An upright board, 2 m high, whose foot is on the ground at z = depth."""
    return Quad((left, 0.0, depth), (width, 0.0, 0.0), (0.0, 2.0, 0.0), texture, **options)


def test_board_projects_to_the_right_pixels():
    canvas = Canvas(camera())
    canvas.draw([board(5.0, Texture(FLAT, WALL))])
    rows, columns = np.nonzero(canvas.label == WALL)
    # focal length 10 at 5 m: 2 pixels per metre about the middle (20, 10)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 11, 18, 21)
    assert len(rows) == 16
    assert canvas.nearness[9, 20] == pytest.approx(1 / 5)


def test_yaw_to_the_right_moves_the_board_to_the_left():
    canvas = Canvas(camera(yaw=0.3))
    canvas.draw([board(5.0, Texture(FLAT, WALL))])
    assert np.nonzero(canvas.label == WALL)[1].mean() < 19


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_nearer_quads_hide_farther_ones_in_any_order(order):
    quads = [board(4.0, Texture(FLAT, WALL)), board(8.0, Texture(FLAT, PERSON), -4.0, 8.0)]
    canvas = Canvas(camera())
    canvas.draw([quads[i] for i in order])
    assert canvas.label[10, 20] == WALL
    assert canvas.label[10, 16] == PERSON


def test_quads_behind_the_camera_are_skipped_and_those_across_it_clipped():
    canvas = Canvas(camera())
    canvas.draw([board(-5.0, Texture(FLAT, WALL))])
    assert not canvas.label.any()
    wall = Texture(FLAT, WALL)
    canvas.draw([Quad((1.0, 0.0, -5.0), (0.0, 0.0, 10.0), (0.0, 2.0, 0.0), wall)])
    assert (canvas.label[:, 25:] == WALL).any() and not canvas.label[:, :20].any()


def test_cut_out_shows_and_labels_what_is_behind():
    label = np.full((8, 8), PERSON)
    label[:, 4:] = CLEAR
    canvas = Canvas(camera())
    figure, wall = Texture(np.full((8, 8, 3), 50.0), label), Texture(FLAT, WALL)
    canvas.draw([board(2.0, figure), board(4.0, wall, -2.0, 4.0)])
    assert canvas.label[10, 17] == PERSON and canvas.color[10, 17, 0] == 50
    assert canvas.label[10, 22] == WALL and canvas.color[10, 22, 0] == 100


def test_a_fence_shows_the_wall_behind_it_and_keeps_its_label():
    gaps = np.zeros((8, 8), bool)
    canvas = Canvas(camera())
    fence, wall = Texture(np.zeros((8, 8, 3)), FENCE, opaque=gaps), Texture(FLAT, WALL)
    canvas.draw([board(2.0, fence), board(4.0, wall, -2.0, 4.0)])
    assert canvas.label[10, 20] == FENCE and canvas.color[10, 20, 0] == 100


def test_shadow_darkens_and_leaves_the_label():
    canvas = Canvas(camera())
    canvas.draw(
        [board(4.0, Texture(FLAT, WALL)), board(3.9, Texture(FLAT, PERSON), light=0.5, shadow=True)]
    )
    assert canvas.label[10, 20] == WALL and canvas.color[10, 20, 0] == 50


def test_one_sided_quads_vanish_from_behind():
    canvas = Canvas(camera())
    canvas.draw([board(4.0, Texture(FLAT, WALL), left=1.0, width=-2.0, one_sided=True)])
    assert not canvas.label.any()
    canvas.draw([board(4.0, Texture(FLAT, WALL), one_sided=True)])
    assert (canvas.label == WALL).any()


def test_distant_textures_are_averaged():
    checks = np.indices((64, 64)).sum(axis=0)[:, :, None] % 2 * np.full(3, 200.0)
    color, _, _ = Texture(checks, WALL).level(texels_per_pixel=16)
    assert color.shape == (4, 4, 3) and np.allclose(color, 100)


def test_sketch_is_drawn_in_metres_from_the_ground_up():
    sketch = Sketch(2.0, 1.0, PERSON, scale=10)
    sketch.box(-1.0, 0.0, 0.0, 0.5, (10, 20, 30))
    color, label, _ = sketch.texture(np.random.default_rng(0), grain=0).level(1)
    assert label.shape == (10, 20)
    assert label[8, 3] == PERSON and color[8, 3].tolist() == [10, 20, 30]
    assert label[8, 15] == label[2, 3] == CLEAR


def test_ground_lies_where_the_camera_says():
    ground = Ground(np.random.default_rng(0), 0.0, 40.0)
    ground.paint(-16, 16, 0, 40, (0, 0, 0), 1)
    ground.paint(0.0, 16, 0, 40, (200, 200, 200), 0)
    ground.finish()
    canvas = Canvas(camera(position=(2.0, 1.0, 0.0)))
    ground.draw(canvas)
    below = canvas.label[14]  # the ray of row 14 meets the ground at 10 / 4.5 m
    edge = 20 - 2.0 * 4.5
    assert below.tolist() == [1] * int(edge) + [0] * (40 - int(edge))
    assert TEXEL < 0.2
