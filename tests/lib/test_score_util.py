from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.score_util import (
    Scores,
    class_iu,
    fast_hist,
    get_scores,
    report_scores,
    score_out_gt,
    score_out_gt_bdry,
    scores_text,
)

pairs = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(
            st.tuples(st.sampled_from([*range(n), 255]), st.integers(0, n - 1)),
            min_size=1,
            max_size=60,
        ),
    )
)


def by_hand(n, truth, output):
    """Compute every score from sets of pixels, class by class, without a confusion matrix."""
    pixels = [i for i, t in enumerate(truth) if t != 255]
    acc = np.mean([truth[i] == output[i] for i in pixels])
    class_acc, class_iu, fw_iu = [], [], 0
    for c in range(n):
        there = {i for i in pixels if truth[i] == c}
        said = {i for i in pixels if output[i] == c}
        if there:
            class_acc.append(len(there & said) / len(there))
            fw_iu += len(there) / len(pixels) * len(there & said) / len(there | said)
        if there | said:
            class_iu.append(len(there & said) / len(there | said))
    return acc, np.mean(class_acc), np.mean(class_iu), fw_iu


@given(pairs)
def test_scores_agree_with_sets_of_pixels(case):
    n, labels = case
    truth, output = map(list, zip(*labels, strict=True))
    scores = Scores(n)
    scores.add(np.array(output, np.uint8), np.array(truth, np.uint8))
    if all(t == 255 for t in truth):
        assert np.isnan(scores.summary()).all()
    else:
        np.testing.assert_allclose(scores.summary(), by_hand(n, truth, output))


@given(pairs, st.integers(0, 60))
def test_counts_add_up_over_frames_and_workers(case, cut):
    n, labels = case
    truth, output = np.array(labels, np.uint8).T
    whole, first, second = Scores(n), Scores(n), Scores(n)
    whole.add(output, truth)
    first.add(output[:cut], truth[:cut])
    second.add(output[cut:], truth[cut:])
    np.testing.assert_array_equal(first.merge(second).hist, whole.hist)


@given(pairs)
def test_perfect_output_scores_one(case):
    n, labels = case
    truth = np.array([t for t, _ in labels if t != 255] or [0], np.uint8)
    np.testing.assert_allclose(get_scores(fast_hist(truth, truth, n)), 1)


def test_known_confusion():
    # 3 of 4 pixels of class 0 right, 1 of 2 of class 1; class 2 never occurs
    hist = fast_hist(np.array([[0, 0, 0, 0, 1, 1, 255]]), np.array([[0, 0, 0, 1, 1, 0, 1]]), 3)
    np.testing.assert_array_equal(hist, [[3, 1, 0], [1, 1, 0], [0, 0, 0]])
    acc, cl_acc, mean_iu, fw_iu = get_scores(hist)
    np.testing.assert_allclose(
        (acc, cl_acc, mean_iu, fw_iu),
        (4 / 6, (3 / 4 + 1 / 2) / 2, (3 / 5 + 1 / 3) / 2, 4 / 6 * 3 / 5 + 2 / 6 * 1 / 3),
    )
    np.testing.assert_allclose(class_iu(hist), (3 / 5, 1 / 3, np.nan))


@pytest.mark.parametrize("ignore", [0, 2, 7, 254, -1])
def test_another_label_is_ignored(ignore):
    truth, output = np.array([[0, 0, 1, 2, 2, 1]]), np.array([[0, 1, 1, 2, 0, 2]])
    whole = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]])
    if ignore in (0, 2):
        whole[ignore] = 0  # a class of the net that is not scored
    else:
        truth, output = np.append(truth, [[ignore]], 1), np.append(output, [[1]], 1)
    np.testing.assert_array_equal(fast_hist(truth, output, 3, ignore), whole)
    scores = Scores(3, ignore=ignore)
    scores.add(output, truth)
    np.testing.assert_array_equal(scores.hist, whole)


@pytest.mark.parametrize("ignore", [0, 2, 7, 255])
def test_a_region_leaves_out_other_pixels_whatever_is_ignored(ignore):
    truth, output = np.array([[0, 0, 1, 2, 1]], np.uint8), np.array([[0, 1, 1, 2, 0]], np.uint8)
    left = np.array([[True, True, True, False, False]])
    counted = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    if ignore == 0:
        counted[0] = 0
    scores = Scores(3, ignore=ignore)
    scores.add(output, truth, region=lambda label: left)
    np.testing.assert_array_equal(scores.hist, counted)
    assert truth[0, 3] == 2  # the label is not changed


def test_255_is_a_label_like_others_if_another_one_is_ignored():
    for add in (
        lambda out, gt: fast_hist(gt, out, 2, ignore=7),
        Scores(2, ignore=7).add,
        lambda out, gt: Scores(2, ignore=7).add(out, gt, region=lambda label: label > 1),
    ):
        with pytest.raises(ValueError, match="label 255, classes are 0..1: .* scored to 7"):
            add(np.array([[0, 1, 1]], np.uint8), np.array([[0, 7, 255]], np.uint8))


def test_report_names_the_classes_left_out():
    hist = [[3, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    report = scores_text(hist, ["road", "car", "boat", "cat"])
    assert "mean class acc.     62.50%" in report
    assert "left out of the mean IU, never in ground truth or output: boat, cat" in report
    # a class that is only in the output scores 0 in the mean IU, and is out of the class accuracy
    report = scores_text([[3, 1], [0, 0]], ["road", "car"])
    assert "left out of the mean class accuracy, never in the ground truth: car" in report
    assert "left out of the mean IU" not in report
    assert get_scores([[3, 1], [0, 0]]).mean_iu == pytest.approx(3 / 8)


def test_report_prints_under_a_title_and_gives_the_scores(capsys):
    hist = np.array([[3.0, 1.0], [1.0, 1.0]])  # notebooks add up floats
    scores = report_scores("oracle", hist, ["road", "car"])
    title, *lines = capsys.readouterr().out.splitlines()
    assert title == ">>> oracle" and lines == scores_text(hist, ["road", "car"]).splitlines()
    assert scores == get_scores(hist)


@pytest.mark.parametrize("leading", [(), (1,)])  # load_label gives 1 x H x W
def test_scores_of_a_frame_and_of_its_boundary(leading):
    gt, out = np.array([[0, 1, 1, 255]]), np.array([[0, 1, 0, 0]])
    gt = gt.reshape(*leading, 1, 4)
    np.testing.assert_array_equal(score_out_gt(out, gt, n_cl=2), [[1, 0], [1, 1]])
    near = score_out_gt_bdry(out, gt, np.array([[0, 0, 1, 1]]), n_cl=2)
    np.testing.assert_array_equal(near, [[0, 0], [1, 0]])


def test_label_of_load_label_shape_is_taken():
    scores = Scores(2)
    scores.add(np.zeros((3, 4), np.uint8), np.zeros((1, 3, 4), np.uint8))
    assert scores.hist[0, 0] == 12


@pytest.mark.parametrize(
    "gt, out, message",
    [
        ([[0, 7]], [[0, 1]], "ground truth has the label 7, classes are 0..1"),
        ([[0, 1]], [[0, 255]], "output has the label 255"),
        ([[0, -1]], [[0, 1]], "label -1"),
        ([[0, 1, 1]], [[0, 1]], r"shape \(1, 3\)"),
        ([[0.0, 1.0]], [[0, 1]], "integers"),
    ],
)
def test_wrong_labels_are_errors(gt, out, message):
    with pytest.raises(ValueError, match=message):
        Scores(2).add(np.array(out), np.array(gt))


def test_mismatched_scores_are_errors():
    with pytest.raises(ValueError, match="3 class names for 2"):
        Scores(2, "abc")
    with pytest.raises(ValueError, match="cannot merge"):
        Scores(2).merge(Scores(3))
    with pytest.raises(ValueError, match="boundary mask"):
        score_out_gt_bdry(np.zeros((2, 2), int), np.zeros((2, 2), int), np.zeros((2, 3)), 2)


@pytest.mark.parametrize("n", [1, 2, 11, 15, 16, 21, 255])
@pytest.mark.parametrize("shape", [(128, 128), (129, 131)])
@pytest.mark.parametrize("ignore", [255, 0])
def test_large_maps_are_counted_as_pixel_by_pixel(n, shape, ignore):
    rng = np.random.default_rng(n)
    truth, output = rng.integers(0, n, (2, *shape)).astype(np.uint8)
    unlabelled = rng.random(shape) < 0.2
    truth[unlabelled] = ignore
    output[unlabelled] = rng.integers(
        0, 256, unlabelled.sum()
    )  # counts nowhere, so may be anything
    times = Counter(zip(truth.ravel().tolist(), output.ravel().tolist(), strict=True))
    expected = np.zeros((n, n), int)
    for (t, o), count in times.items():
        if t != ignore:
            expected[t, o] = count
    hist = fast_hist(truth, output, n, ignore)
    assert hist.dtype == np.int64
    np.testing.assert_array_equal(hist, expected)


@pytest.mark.parametrize("n", [11, 21])
def test_large_maps_with_a_label_out_of_range(n):
    truth, output = np.zeros((2, 200, 200), np.uint8)
    output[100, 100] = n
    with pytest.raises(ValueError, match=f"output has the label {n}"):
        fast_hist(truth, output, n)
    truth[100, 100] = n
    with pytest.raises(ValueError, match=f"ground truth has the label {n}"):
        fast_hist(truth, np.zeros_like(truth), n)
    truth[100, 100] = 255
    assert fast_hist(truth, output, n)[0, 0] == 200 * 200 - 1
