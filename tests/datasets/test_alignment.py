"""shift_errors on crops of random frames."""

import numpy as np
import pytest
from PIL import Image

from datasets.alignment import shift_errors


def test_error_is_zero_at_the_true_position():
    frame = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    errors = shift_errors(Image.fromarray(frame).crop((3, 2, 27, 18)), frame, (3, 2, 27, 18))
    for points in errors.values():
        assert dict(points)[0] == 0 and min(error for shift, error in points if shift) > 20
    along_rows = shift_errors(frame[3:19, 3:27], frame, (3, 2, 27, 18))["rows"]
    # cropped one row further down
    assert [shift for shift, error in along_rows if error == 0] == [1]


def test_pixels_outside_the_frame_are_not_compared():
    frame = np.zeros((8, 8, 3), np.uint8)
    frame[:, 4:] = 100
    errors = dict(shift_errors(frame, frame, (0, 0, 8, 8), (-1, 0, 1))["columns"])
    assert errors[0] == 0 and errors[-1] == pytest.approx(100 / 7)  # one of 7 columns differs


def test_window_of_another_size():
    with pytest.raises(ValueError, match="window it was cropped from"):
        shift_errors(np.zeros((4, 4, 3), np.uint8), np.zeros((8, 8, 3), np.uint8), (0, 0, 5, 4))
