"""Label maps over frames, in the colours of the palette."""

import av
import numpy as np
import pytest

from lib.video.frame import Frame
from lib.video.overlay import Overlay
from lib.video.source import read_frames
from tests.lib.video.movies import make_movie, turn_movie

PALETTE = [(255, 0, 0), (0, 255, 0), (20, 60, 200)]


def frame_of(pixels, **more):
    return Frame(0, 0, 1, av.VideoFrame.from_ndarray(pixels, "rgb24"), **more)


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_half_the_frame_and_half_the_colour(grey):
    label = np.repeat(np.uint8([[0, 1], [2, 7]]), 16, 0).repeat(16, 1)
    drawn = Overlay(PALETTE).draw(frame_of(np.full((32, 32, 3), grey, np.uint8)), label)
    assert drawn.format.name == "yuv420p"
    pixels = drawn.to_ndarray(format="rgb24").astype(int)
    for corner, colour in (((4, 4), PALETTE[0]), ((4, 28), PALETTE[1]), ((28, 4), PALETTE[2])):
        expected = (np.array(colour) + grey) / 2
        np.testing.assert_allclose(pixels[corner], expected, atol=4)
    np.testing.assert_allclose(pixels[28, 28], grey, atol=3)  # no colour: as it was


def test_labels_of_another_size_are_stretched():
    drawn = Overlay(PALETTE).draw(frame_of(np.zeros((60, 80, 3), np.uint8)), np.uint8([[0, 1]]))
    pixels = drawn.to_ndarray(format="rgb24")
    assert (drawn.height, drawn.width) == (60, 80)
    assert pixels[30, 20, 0] > 110 > 20 > pixels[30, 60, 0]


def test_odd_frames_become_even():
    drawn = Overlay(PALETTE).draw(frame_of(np.zeros((33, 17, 3), np.uint8)), np.uint8([[0]]))
    assert (drawn.height, drawn.width) == (34, 18)


def test_hd_colours(tmp_path):
    frame = frame_of(np.full((32, 32, 3), 90, np.uint8))
    hd = frame.picture.reformat(format="yuv420p", dst_colorspace="ITU709")
    drawn = Overlay(PALETTE).draw(Frame(0, 0, 1, hd), np.full((32, 32), 2, np.uint8))
    pixels = drawn.to_ndarray(format="rgb24", src_colorspace="ITU709")
    np.testing.assert_allclose(pixels[16, 16], [55, 75, 145], atol=4)


def test_upright(movie):
    turn_movie(movie, "clockwise")
    drawn = Overlay(PALETTE).draw(next(read_frames(movie)), np.full((64, 48), 9, np.uint8))
    assert (drawn.height, drawn.width) == (64, 48)
    pixels = drawn.to_ndarray(format="rgb24")
    assert pixels[4, -4].min() > 240 and pixels[4, 4].max() < 20


def test_marks_of_stages():
    black = frame_of(np.full((80, 160, 3), 128, np.uint8))
    overlay = Overlay(PALETTE, ("shallow", "deep"))
    luma = overlay.draw(black, np.full((80, 160), 9, np.uint8), ("deep",)).to_ndarray()[:80]
    row = luma[80 - 8 + 2]
    assert row[4 + 1] == 16 and row[4 + 6 + 1] == 235


def test_a_movie_of_full_range(tmp_path):
    path = make_movie(tmp_path / "full.avi", codec="mjpeg", pix_fmt="yuvj420p", frames=1)
    (frame,) = read_frames(path)
    drawn = Overlay(PALETTE).draw(frame, np.full((48, 64), 9, np.uint8))
    pixels = drawn.to_ndarray(format="rgb24")
    assert pixels[4, 4].min() > 245 and pixels[-4, -4].max() < 12
