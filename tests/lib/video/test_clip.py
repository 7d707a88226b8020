"""Movies and folders as clips, with labels and without."""

import numpy as np
import pytest
from PIL import Image

from lib import schedule
from lib.clips import as_clips
from lib.evaluate import evaluate
from lib.video.clip import open_clip
from lib.video.errors import VideoError
from tests.lib.video.movies import make_movie, number_of, turn_movie

MEAN = (10, 20, 30)


def test_pairs_of_a_movie(movie):
    clip = open_clip(movie, (24, 24), MEAN)
    assert (clip.name, len(clip)) == ("street", 30)
    in_, label = clip[3]
    assert in_.shape == (3, 18, 24) and in_.dtype == np.float32 and label is None
    grey = 24 - np.array(MEAN)  # frame 3, in BGR
    np.testing.assert_allclose(in_[:, -1, -1], grey, atol=2)
    np.testing.assert_allclose(in_[:, 0, 0], 255 - np.array(MEAN), atol=2)
    assert clip.times[:3] == [0, 0.04, 0.08]


def test_exact_size(movie):
    assert open_clip(movie, (24, 24), MEAN, exact=True)[0][0].shape == (3, 24, 24)


def test_upright(movie):
    turn_movie(movie, "clockwise")
    in_, _ = open_clip(movie, (48, 48), MEAN)[0]
    assert in_.shape == (3, 48, 36)
    assert in_[0, 4, -4] > 200 and in_[0, 4, 4] < 40


def test_slices_and_order(movie):
    clip = open_clip(movie, (48, 64), MEAN)
    assert [number_of(np.asarray(image)) for image in clip[4:8].images()] == [4, 5, 6, 7]
    assert [number_of(np.asarray(image)) for image in clip[7:3:-1].images()] == [7, 6, 5, 4]
    assert number_of(np.asarray(clip.image(11))) == 11
    np.testing.assert_array_equal(clip[5:][2][0], clip[7][0])
    assert np.array_equal(clip[-1][0], clip[29][0])
    with pytest.raises(IndexError):
        clip[30]


def test_iterating_twice(movie):
    clip = open_clip(movie, (24, 24), MEAN)
    first, second = ([in_.sum() for in_, _ in clip] for _ in range(2))
    assert first == second and len(first) == 30


def test_a_clip_of_one_rate(movie):
    clip = open_clip(movie, (48, 64), MEAN, rate=5)
    assert clip.times == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert [number_of(np.asarray(image)) for image in clip[:3].images()] == [0, 5, 10]


def save_label(path, value, size=(64, 48)):
    path.parent.mkdir(exist_ok=True)
    label = np.full(size[::-1], value, np.uint8)
    label[:, : size[0] // 2] = 255
    image = Image.fromarray(label)
    image.putpalette([1, 2, 3] * 256)
    image.save(path)


def test_labels_by_number(movie, tmp_path):
    save_label(tmp_path / "l" / "000004.png", 2)
    save_label(tmp_path / "l" / "29.png", 3)
    clip = open_clip(movie, (24, 24), MEAN, labels=tmp_path / "l")
    labels = clip.labels()
    assert [i for i, label in enumerate(labels) if label is not None] == [4, 29]
    assert labels[4].shape == (18, 24)
    assert set(np.unique(clip[4][1])) == {2, 255} and clip[5][1] is None


def test_labels_by_name(tmp_path):
    for name in ("b", "a", "c"):
        (tmp_path / "f").mkdir(exist_ok=True)
        Image.new("RGB", (64, 48)).save(tmp_path / "f" / f"{name}.jpg")
    save_label(tmp_path / "l" / "b.png", 1)
    clip = open_clip(tmp_path / "f", (48, 64), MEAN, labels=tmp_path / "l")
    assert [label is not None for label in clip.labels()] == [False, True, False]


@pytest.mark.parametrize("name", ["x.png", "-1.png", "1a.png"])
def test_a_label_of_no_frame(movie, tmp_path, name):
    save_label(tmp_path / "l" / name, 1)
    with pytest.raises(VideoError, match="belongs to no frame"):
        open_clip(movie, (24, 24), MEAN, labels=tmp_path / "l")


def test_a_label_of_a_frame_beyond_the_end(movie, tmp_path):
    save_label(tmp_path / "l" / "30.png", 1)
    with pytest.raises(VideoError, match="belongs to no frame"):
        open_clip(movie, (24, 24), MEAN, labels=tmp_path / "l")


def test_a_label_in_colours(movie, tmp_path):
    (tmp_path / "l").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "l" / "0.png")
    with pytest.raises(VideoError, match="holds colours"):
        open_clip(movie, (24, 24), MEAN, labels=tmp_path / "l").label(0)


def test_it_is_a_clip_of_lib(movie, tmp_path, card):
    import caffe

    save_label(tmp_path / "l" / "0.png", 1)
    net = caffe.Net(str(card.with_name("small.prototxt")), caffe.TEST)
    clip = open_clip(movie, (48, 64), MEAN, labels=tmp_path / "l")[:3]
    assert as_clips(clip) == [clip]
    result = evaluate(schedule.per_frame, net, clip, 4, silent=True, keep=True)
    assert (result.n_frames, result.n_labelled, result.clips) == (3, 1, ["street"])


def test_a_stream_is_no_clip():
    with pytest.raises(VideoError, match="a clip has an end"):
        open_clip("rtsp://host/stream", (24, 24), MEAN)


def test_a_damaged_movie_says_which_frame(tmp_path):
    path = tmp_path / "cut.mp4"
    make_movie(path, frames=100, size=(96, 128), options={"movflags": "faststart"})
    clip = open_clip(path, (24, 24), MEAN)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(VideoError, match=r"cut.mp4, frame \d\d "):
        list(clip)
