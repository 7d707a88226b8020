import numpy as np
import pytest

from lib.layer_maps import change_rate, change_within, layer_maps, object_changes, to_frame

COARSE = np.array([[1, 2], [3, 4]], np.uint8)


def test_a_map_that_covers_the_frame_is_enlarged():
    np.testing.assert_array_equal(to_frame(COARSE, (4, 4), 2), np.kron(COARSE, np.ones((2, 2))))


def test_a_map_that_reaches_beyond_the_frame_is_cut_on_all_sides():
    cells = np.arange(36, dtype=np.uint8).reshape(6, 6)
    np.testing.assert_array_equal(
        to_frame(cells, (4, 4), 2), np.kron(cells[2:4, 2:4], np.ones((2, 2)))
    )


def test_a_map_that_stops_short_goes_on_as_it_ends():
    out = to_frame(COARSE, (4, 8), 2)
    assert out[0].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]


@pytest.mark.parametrize(
    "cells, pixels, stride, wanted",
    [
        # a pixel whose centre lies on the border of two cells takes the later one
        (3, 5, 2, [0, 1, 1, 2, 2]),
        (2, 5, 3, [0, 0, 1, 1, 1]),
        (3, 4, 2, [0, 1, 1, 2]),
        (3, 7, 3, [0, 0, 1, 1, 1, 2, 2]),
        (5, 3, 1, [1, 2, 3]),
        (3, 5, 1, [0, 0, 1, 2, 2]),
        (4, 7, 2, [0, 1, 1, 2, 2, 3, 3]),
        (1, 5, 2, [0, 0, 0, 0, 0]),
    ],
)
def test_centres_are_aligned_at_odd_sizes(cells, pixels, stride, wanted):
    row = np.arange(cells, dtype=np.uint8)[np.newaxis]
    assert to_frame(row, (2, pixels), stride).tolist() == [wanted] * 2
    assert to_frame(row.T, (pixels, 3), stride).tolist() == [[cell] * 3 for cell in wanted]


def test_a_map_of_the_frame_itself_stays():
    label = np.random.default_rng(0).integers(0, 9, (5, 7), np.uint8)
    np.testing.assert_array_equal(to_frame(label, (5, 7), 1), label)


def test_layers_see_every_frame(fake, fake_net):
    clip = [(fake.frame(t), None) for t in range(3)]
    maps = layer_maps(fake_net, clip, {"score_pool4": 1, "score": 1})
    assert list(maps) == ["score_pool4", "score"]
    assert [fake.seen_by_stages(out) for out in maps["score"]] == [(t, t, t) for t in range(3)]


def test_classes_are_shown_as_others(fake, fake_net):
    lookup = np.full(256, 7, np.uint8)
    [label] = layer_maps(fake_net, [(fake.frame(1), None)], {"score": 1}, lookup)["score"]
    assert (label == 7).all()


def test_a_layer_that_is_not_there(fake, fake_net):
    with pytest.raises(ValueError, match="no blob 'score_pool5'.*score_pool4"):
        layer_maps(fake_net, [(fake.frame(0), None)], {"score_pool5": 32})


def test_change_rate():
    maps = [np.array([[a, b]]) for a, b in ((0, 0), (0, 1), (0, 2), (0, 2), (1, 2))]
    assert change_rate(maps).tolist() == [[0.25, 0.5]]
    assert change_rate([*maps[:2], None, maps[2]]).tolist() == [[0, 1]]
    for short in (maps[:1], [maps[0], None, maps[1]]):
        with pytest.raises(ValueError, match=f"among {len(short)} frames: take a longer clip"):
            change_rate(short)


def test_changes_of_objects(fake, fake_net):
    here, nowhere = np.array([[1, 1, 0], [255, 0, 0]], np.uint8), np.zeros((2, 3), np.uint8)
    strides = {"score": 1, "score_pool4": 1}
    clip = [(fake.frame(t), here) for t in (0, 1, 1)]
    assert object_changes(fake_net, clip, strides) == {"score": 0.5, "score_pool4": 0}
    none = object_changes(fake_net, [(in_, nowhere) for in_, _ in clip], strides)
    assert np.isnan(none["score"])
    with pytest.raises(ValueError, match="no two consecutive frames"):
        object_changes(fake_net, [(in_, None) for in_, _ in clip], strides)


def test_change_within_a_region():
    maps = [np.array([[0, 0, 0]]), np.array([[1, 0, 0]]), np.array([[1, 1, 1]])]
    left, right = np.array([[True, True, False]]), np.array([[False, True, True]])
    assert change_within(maps, [left, left, left]) == 0.5
    assert change_within(maps, [left, left, right]) == pytest.approx(2 / 3)  # 1 of 2, 1 of 1
    assert change_within(maps, [left, left, None]) == 0.5
    assert np.isnan(change_within(maps, [left & right & False] * 3))
    with pytest.raises(ValueError, match="no two consecutive frames"):
        change_within(maps, [left, None, left])
