"""Defaults, limits and forms that the tests of each module leave open, in numbers by hand."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import lib.train
from lib import labels, layer_maps, report, schedule, score_util, shot_store, stages
from lib.cityscapes_layers import read_params
from lib.class_stats import confusions, count_classes
from lib.compare import largest_differences
from lib.cost import multiply_adds
from tests.lib.test_train import Blob, MeanSolver


def test_label_maps_of_other_sizes_differ_everywhere():
    a = np.zeros((2, 3), np.uint8)
    assert labels.changed_share(a, np.zeros((2, 2), np.uint8)) == 1
    assert labels.changed_share(a, np.zeros((1, 3), np.uint8)) == 1  # would be broadcast
    assert labels.changed_share(a, np.array([[0, 0, 1], [0, 0, 0]], np.uint8)) == 1 / 6


def test_the_first_frame_counts_unless_left_out():
    blank = [np.zeros((1, 4), np.uint8)] * 3
    differ = [np.array([row], np.uint8) for row in ([1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0])]
    a, b = (
        SimpleNamespace(name="x", kept_runs=lambda maps=maps: ([maps], ["clip"]))
        for maps in (blank, differ)
    )
    assert largest_differences(a, b) == [(0, 0)]
    assert largest_differences(a, b, first=1) == [(0, 2)]


def test_multiply_adds_of_an_inner_product_are_a_whole_number():
    """Batch 2, 3 inputs, 5 outputs: 2 * 3 * 5."""
    net = SimpleNamespace(
        _layer_names=["fc"],
        layers=[SimpleNamespace(type="InnerProduct")],
        params={"fc": [Blob(5, 3)]},
        blobs={"fc": Blob(2, 5)},
        top_names={"fc": ["fc"]},
        bottom_names={"fc": ["x"]},
    )
    assert multiply_adds(net) == {"fc": 30} and type(multiply_adds(net)["fc"]) is int


@pytest.mark.parametrize("measure", [layer_maps.layer_maps, layer_maps.object_changes])
def test_a_lookup_that_fits_no_class_is_refused(fake, fake_net, measure):
    clip = [(fake.frame(t), np.ones((2, 3), np.uint8)) for t in (0, 1)]
    with pytest.raises(ValueError, match="256 uint8"):
        measure(fake_net, clip, {"score": 1}, relabel=np.zeros(21, np.uint8))
    assert fake_net.ranges == []


def test_no_pixel_in_common_is_nan_without_a_warning():
    maps = [np.zeros((1, 2), np.uint8), np.ones((1, 2), np.uint8)]
    regions = [np.array([[True, False]]), np.array([[False, True]])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(layer_maps.change_within(maps, regions))
    assert layer_maps.change_within(maps, [regions[0]] * 2) == 1


TABLE = ["name", "n"], [["a", "1"], ["bcdef<", "23"]]


def test_tables_letter_by_letter():
    assert report.table(*TABLE).split("\n") == [
        "name     n",
        "------  --",
        "a        1",
        "bcdef<  23",
    ]
    assert report.table(*TABLE, "markdown").split("\n") == [
        "| name | n |",
        "| --- | ---: |",
        "| a | 1 |",
        "| bcdef< | 23 |",
    ]
    assert report.table(*TABLE, "html").split("\n") == [
        "<table>",
        "<thead><tr><th>name</th><th>n</th></tr></thead>",
        "<tbody>",
        "<tr><td>a</td><td>1</td></tr>",
        "<tr><td>bcdef&lt;</td><td>23</td></tr>",
        "</tbody>",
        "</table>",
    ]


SCHEDULES = {
    "per_frame": {},
    "every": dict(period=2),
    "every_other": {},
    "fixed_rate": dict(rates={"deep": 2}),
    "alternating": {},
    "adaptive": dict(threshold=0.5),
    "pipeline": dict(cuts=("deep",)),
    "pipeline_2stage": {},
    "pipeline_3stage": {},
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_stages_of_another_net_are_refused_before_anything_runs(fake, fake_net, name):
    other = (*stages.FCN8S[:3], stages.Stage("fuse", "score_pool4c", "elsewhere"))
    run = getattr(schedule, name)
    with pytest.raises(ValueError, match="'fuse' names the layer 'elsewhere'"):
        next(run(fake_net, [fake.frame(t) for t in range(4)], stages=other, **SCHEDULES[name]))
    assert fake_net.ranges == []


def test_a_net_that_is_not_cut_and_a_stage_of_one_layer():
    assert stages.WHOLE == (("whole", "conv1_1", "score"),)
    net = SimpleNamespace(_layer_names=["conv1_1", "score"])
    stages.check_stages(net, stages.WHOLE)
    stages.check_stages(net, [stages.Stage("one", "score", "score")])
    with pytest.raises(ValueError, match="'back' is empty"):
        stages.check_stages(net, [stages.Stage("back", "score", "conv1_1")])


def test_scores_line_by_line(capsys):
    """Class 0: 3 of 4 right, IU 3/4; class 1 never occurs; class 2: 1 of 1, and 1 too many, 1/2."""
    hist = np.array([[3, 0, 1], [0, 0, 0], [0, 0, 1]])
    lines = score_util.scores_text(hist, ["road", "", "tree"]).split("\n")
    assert lines == [
        "overall accuracy    80.00%",
        "mean class acc.     87.50%",
        "mean IU             62.50%",
        "freq. weighted IU   70.00%",
        "  road IU  75.00%",
        "       IU  absent",
        "  tree IU  50.00%",
        "left out of the mean class accuracy, never in the ground truth: ",
        "left out of the mean IU, never in ground truth or output: ",
    ]
    assert score_util.report_scores("frame 7", hist).mean_iu == 0.625
    out = capsys.readouterr().out.split("\n")
    assert out[0] == ">>> frame 7" and out[5:8] == [
        "  0 IU  75.00%",
        "  1 IU  absent",
        "  2 IU  50.00%",
    ]
    assert out[8] == "left out of the mean class accuracy, never in the ground truth: 1"


def test_shots_go_into_a_folder_of_folders(tmp_path):
    for name in ("a", "b"):
        path = shot_store.shot_path(tmp_path / "of" / "folders", name)
        shot_store.save_shot(path, "me", {"x": np.arange(3)})
        assert shot_store.load_shot(path, "me")[0]["x"].tolist() == [0, 1, 2]


def test_the_bar_shows_the_mean_of_the_last_losses(monkeypatch):
    shown = []

    class Bar:
        def __init__(self, **options):
            self.options = options

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def update(self):
            pass

        def set_postfix(self, loss):
            shown.append(float(loss))

    monkeypatch.setattr(lib.train, "tqdm", Bar)
    batch = np.full((1, 3, 2, 2), 7, np.float32), np.zeros((1, 1, 2, 2), np.float32)
    losses = lib.train.train(MeanSolver(), iter([batch] * 7), 7, display=3)
    assert shown == pytest.approx([losses[:3].mean(), losses[3:6].mean()], rel=1e-3)
    # (7, then 0.6 of it after each step) squared, times the weight 2
    np.testing.assert_allclose(losses, [2 * (7 * 0.6**k) ** 2 for k in range(7)], rtol=1e-5)


def test_what_is_as_small_as_the_limit_stays():
    net = SimpleNamespace(params={"fc": [Blob(3)]})
    net.params["fc"][0].data[...] = [0.25, 0.125, -0.25]
    assert lib.train.drop_vanished(net, below=0.25) == 1 / 3
    assert net.params["fc"][0].data.tolist() == [0.25, 0, -0.25]


def test_a_seed_and_an_overlap_of_0_are_settings_as_others():
    given = read_params("{'seed': 0, 'overlap': 0, 'randomize': False}", "layer 'x'")
    assert (given["seed"], given["overlap"], given["randomize"]) == (0, 0, False)
    assert read_params("", "layer 'x'") == {
        "cityscapes_dir": None,
        "split": "train",
        "randomize": True,
        "seed": 0,
        "overlap": 210,
    }
    for text in ("{'seed': -1}", "{'overlap': -1}", "{'overlap': None}", "{'overlap': True}"):
        with pytest.raises(ValueError, match="0 or more"):
            read_params(text, "layer 'x'")


def test_a_class_that_never_occurs_has_no_area_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        counts = count_classes([np.array([[0, 0, 2, 255]], np.uint8)], 3)
    np.testing.assert_array_equal(counts.area, [0.5, np.nan, 0.25])
    assert counts.images.tolist() == [1, 0, 1] and counts.ignored == 1


def test_confusions_of_as_many_pixels_come_in_the_order_of_the_classes():
    n = 9
    found = confusions(np.ones((n, n), int), count=n * n)
    assert [(c.truth, c.output) for c in found] == [
        (i, j) for i in range(n) for j in range(n) if i != j
    ]
    assert all(c.share == 1 / n for c in found)
