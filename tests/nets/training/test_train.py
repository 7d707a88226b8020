"""Training light nets: recipes with nets, solvers and weights that are there, and the start."""

import numpy as np
import pytest

import caffe
from datasets.miniature import miniature
from nets.training import train
from nets.training.recipes import RECIPES, frames_of, youtube_frames
from nets.weights import FOLDER, TABLE, find_net


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_its_net_its_solvers_and_its_row_in_the_table(name):
    recipe = RECIPES[name]
    find_net(f"{name}-train")
    for phase in recipe.phases:
        assert (FOLDER / f"training/{name}{phase.suffix}-solver.prototxt").is_file()
    assert recipe.start in {None, "vgg16", *TABLE}
    assert TABLE[name].command == f"make train-{name}"


def test_layers_of_the_same_shape_start_from_other_weights():
    net = caffe.Net(find_net("miniature-voc-fcn8s-light-train"), caffe.TRAIN)
    other = caffe.Net(
        find_net("stage-camvid-fcn8s-light"),
        str(FOLDER / "camvid-fcn8s-light.caffemodel"),
        caffe.TEST,
    )
    new = train.start_from(net, "camvid-fcn8s-light")
    assert {"score_fr", "score_pool4", "score_pool3"} <= set(new)  # 21 classes, not 11
    assert "fc7" not in new
    assert (net.params["fc7"][0].data == other.params["fc7"][0].data).all()
    assert (net.params["score_fr"][0].data == 0).all()


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    root = tmp_path_factory.mktemp("shots") / "youtube"
    return miniature("youtube", root, size=(192, 144), train=1, test=0, workers=1)


def test_views_are_drawn_from_the_training_frames(shots):
    data, frames = youtube_frames(shots, shots=1)
    assert len(frames) == 11 and frames[0][0].shape == (240, 320, 3)
    assert set(np.unique(frames[-1][1])) == {0, 1}  # background and aeroplane, as VOC numbers them
    sample = train.sampler(data, frames, even=1.0, crop=(96, 128), scale=(0.8, 1.2))
    in_, label = sample(np.random.default_rng(0))
    assert in_.shape == (3, 96, 128) and in_.dtype == np.float32
    assert label.shape == (96, 128) and set(np.unique(label)) <= {0, 1, 255}


def test_only_labelled_frames_are_learned_from(shots):
    data, _ = youtube_frames(shots, shots=1)
    clips = data.clips(period=6, split="train", warmup=3)
    assert len(frames_of(clips)) < sum(map(len, clips))
