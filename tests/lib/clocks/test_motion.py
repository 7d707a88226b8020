import numpy as np
import pytest

from lib.clocks.motion import REACH, find_motion, moved, then


def texture(height=132, width=172, seed=0):
    """Smooth noise, 3 x H x W: sums of waves, so that it is known between pixels too."""
    rng = np.random.default_rng(seed)
    waves = rng.uniform(-0.25, 0.25, (20, 2)), rng.uniform(0, 2 * np.pi, 20)

    def at(down=0.0, right=0.0):
        y, x = np.mgrid[:height, :width].astype(float)
        parts = [np.sin(a * (y + down) + b * (x + right) + c) for (a, b), c in zip(*waves)]
        return np.repeat(30 * np.sum(parts, 0)[None], 3, 0).astype(np.float32)

    return at


@pytest.mark.parametrize("down, right", [(0, 0), (2, 0), (0, -4), (4, 2), (-3, 3)])
def test_a_shift_is_found(down, right):
    at = texture()
    motion = find_motion(at(down, right), at())
    assert motion.cell == 2  # of 132 rows
    inner = motion.offset[:, 4:-4, 4:-4]
    np.testing.assert_allclose(np.median(inner, (1, 2)), (down, right), atol=0.7)


def test_residual_tells_motion_from_change():
    at, other = texture(), texture(seed=1)
    still, shifted, new = (find_motion(now, at()).residual for now in (at(), at(2, -2), other()))
    assert still == 0 and shifted < 0.35 and new > 0.5


def test_a_label_map_moves_along():
    at = texture()
    before, now = (at(*place)[0] > 0 for place in ((0, 0), (2, -4)))
    motion = find_motion(at(2, -4), at())
    inner = (slice(12, -12), slice(12, -12))
    assert np.mean(before[inner] != now[inner]) > 0.15
    assert np.mean(moved(before.astype(np.uint8), motion)[inner] != now[inner]) < 0.04


def test_two_motions_chain():
    at = texture()
    first, second = find_motion(at(2, 0), at()), find_motion(at(4, -2), at(2, 0))
    both = then(second, first)
    np.testing.assert_allclose(np.median(both.offset, (1, 2)), (4, -2), atol=0.7)
    assert both.residual == first.residual + second.residual
    still = then(second, find_motion(at(), at()))
    np.testing.assert_allclose(still.offset, second.offset, atol=1e-6)


def test_flat_frames_rest():
    flat = np.full((3, 90, 120), 7, np.float32)
    motion = find_motion(flat, flat + 1)
    assert not motion.offset.any() and motion.residual == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3), (7, 5), (45, 46), (129, 70)])
def test_any_size(size):
    rng = np.random.default_rng(0)
    now, before = rng.normal(size=(2, 3, *size)).astype(np.float32)
    motion = find_motion(now, before)
    assert np.abs(motion.offset).max() <= (REACH + 0.5) * motion.cell
    label = rng.integers(0, 4, size).astype(np.uint8)
    out = moved(label, then(motion, motion))
    assert out.shape == size and out.dtype == np.uint8 and set(np.unique(out)) <= set(range(4))


def test_two_sizes():
    with pytest.raises(ValueError, match="two of one size"):
        find_motion(np.zeros((3, 8, 8)), np.zeros((3, 8, 9)))
