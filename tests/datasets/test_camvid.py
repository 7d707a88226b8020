"""CamVid: a toy copy of the layout, and the real dataset if it is there."""

import numpy as np
import pytest
from PIL import Image

from datasets.camvid import camvid
from datasets.errors import DatasetError


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8)).save(path)


@pytest.fixture
def real(shared_folder):
    """Folder of real samples."""
    return shared_folder("camvid")


@pytest.fixture
def toy(tmp_path):
    """Two JPEG sequences in train and one sequence of five frames in val."""
    frames = {
        "train": ["0001TP_000060", "0001TP_000030", "0006R0_f00930"],
        "val": [f"0016E5_{n:05d}" for n in (7959, 7961, 7963, 7965, 7967)],
    }
    for split, names in frames.items():
        for k, name in enumerate(names):
            suffix = ".jpg" if split == "train" else ".png"
            write(tmp_path / split / f"{name}{suffix}", np.full((4, 6, 3), 10 * k))
            write(tmp_path / f"{split}annot" / f"{name}.png", [[k, 10, 11, 0, 0, 0]] * 4)
    return tmp_path


def test_lists_frames_in_order(toy):
    data = camvid(toy)
    assert data.get_dset("train") == ["0001TP_000030", "0001TP_000060", "0006R0_f00930"]
    assert data.list_sequences("train") == ["0001TP", "0006R0"]
    assert data.list_frames("train", "0006R0") == ["0006R0_f00930"]


def test_loads_image_and_label(toy):
    data = camvid(toy)
    assert data.load_image("train", "0001TP_000030").size == (6, 4)
    label = data.load_label("val", "0016E5_07961")
    assert label.shape == (1, 4, 6) and label.dtype == np.uint8
    assert label[0, 0].tolist() == [1, 10, 255, 0, 0, 0]  # 11 is unlabelled


def test_val_is_one_clip_and_train_is_single_frames(toy):
    data = camvid(toy)
    assert [len(clip) for clip in data.clips("val")] == [5]
    assert [len(clip) for clip in data.clips("val", length=2)] == [2, 2, 1]
    assert [len(clip) for clip in data.clips("train")] == [1, 1, 1]
    assert [len(clip) for clip in data.clips("train", length=2)] == [2, 1]
    in_, label = data.clips("val")[0][2]
    assert in_.shape == (3, 4, 6) and label.shape == (4, 6)
    assert np.allclose(in_[:, 0, 0], 20 - data.mean)


def test_root_from_the_environment(toy, monkeypatch):
    monkeypatch.setenv("CLOCKWORK_CAMVID", str(toy))
    assert camvid().dir == toy


def test_missing_root_says_where_and_how(tmp_path):
    with pytest.raises(DatasetError) as error:
        camvid(tmp_path / "nowhere")
    for part in ("nowhere", "valannot", "SegNet", "CLOCKWORK_CAMVID"):
        assert part in str(error.value)


def test_missing_split_sequence_frame_and_label(toy):
    data = camvid(toy)
    with pytest.raises(DatasetError, match="no split 'test'.*train, val"):
        data.get_dset("test")
    with pytest.raises(DatasetError, match="no frame of sequence '0009XX'.*0016E5"):
        data.list_frames("val", "0009XX")
    with pytest.raises(DatasetError, match="no frame '0016E5_00000'"):
        data.load_image("val", "0016E5_00000")
    (toy / "valannot" / "0016E5_07959.png").unlink()
    with pytest.raises(DatasetError, match="0016E5_07959.png: no such file"):
        data.load_label("val", "0016E5_07959")


def test_clip_length_is_at_least_1(toy):
    with pytest.raises(DatasetError, match="at least 1"):
        camvid(toy).clips("val", length=0)


def test_empty_split(toy):
    (toy / "test").mkdir()
    with pytest.raises(DatasetError, match="no .png or .jpg"):
        camvid(toy).get_dset("test")


def test_bad_label(toy):
    data, path = camvid(toy), toy / "valannot" / "0016E5_07959.png"
    write(path, np.full((4, 6), 12))
    with pytest.raises(DatasetError, match="value 12"):
        data.load_label("val", "0016E5_07959")
    write(path, np.zeros((8, 12)))
    with pytest.raises(DatasetError, match="12 x 8 but its frame is 6 x 4"):
        data.load_label("val", "0016E5_07959")


def test_real_val_is_one_clip_of_101_labelled_frames(real):
    data = camvid(real)
    (clip,) = data.clips("val")
    assert len(clip) == 101
    assert [int(name.split("_")[1]) for name in clip.frames] == list(range(7959, 8160, 2))
    in_, label = clip[100]
    assert in_.shape == (3, 360, 480) and label.shape == (360, 480)
    assert set(np.unique(label)) <= {*range(11), 255}
    assert (label == data.classes.index("road")).mean() > 0.1


def test_real_mean(real):
    data = camvid(real)
    names = data.get_dset("train")
    assert len(names) == 367
    sample = [data.preprocess(data.load_image("train", name)) for name in names[::12]]
    assert np.abs(np.mean(sample, axis=(0, 2, 3))).max() < 5  # grey levels


@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_missing_frame_is_told_by_its_label(toy, at):
    name = f"0016E5_{7959 + 2 * at:05d}"
    (toy / "val" / f"{name}.png").unlink()
    for length in (None, 1, 2, "sequence"):
        with pytest.raises(DatasetError, match=f"no frame {name}, but .*valannot has its label"):
            camvid(toy).clips("val", length)


def test_a_missing_frame_and_label_is_told_by_the_numbers(toy):
    for path in (toy / "val" / "0016E5_07963.png", toy / "valannot" / "0016E5_07963.png"):
        path.unlink()
    message = "between 0016E5_07961 and 0016E5_07965: frames are 2 apart, these 4"
    with pytest.raises(DatasetError, match=message):
        camvid(toy).clips("val")


@pytest.mark.parametrize("suffix", [".PNG", ".Jpg"])
def test_a_frame_spelled_another_way(toy, suffix):
    (toy / "val" / "0016E5_07963.png").rename(toy / "val" / f"0016E5_07963{suffix}")
    data = camvid(toy)
    for read in (data.get_dset, data.clips):
        with pytest.raises(DatasetError, match=f"0016E5_07963{suffix} is not found.*rename it"):
            read("val")


def test_a_label_spelled_another_way(toy):
    (toy / "valannot" / "0016E5_07963.png").rename(toy / "valannot" / "0016E5_07963.PNG")
    with pytest.raises(DatasetError, match="valannot: 0016E5_07963.PNG is not found"):
        camvid(toy).clips("val")


def test_a_frame_that_is_there_twice_or_not_a_frame(toy):
    write(toy / "val" / "0016E5_07963.jpg", np.zeros((4, 6, 3)))
    with pytest.raises(DatasetError, match="a .png and a .jpg frame 0016E5_07963"):
        camvid(toy).clips("val")
    (toy / "val" / "0016E5_07963.jpg").rename(toy / "val" / "cover.jpg")
    with pytest.raises(DatasetError, match="'cover' is not the name of a frame"):
        camvid(toy).clips("val")


def test_frames_are_ordered_by_number(toy):
    for n in (9999, 10000):
        write(toy / "train" / f"0006R0_{n}.png", np.zeros((4, 6, 3)))
    assert camvid(toy).list_frames("train", "0006R0")[1:] == ["0006R0_9999", "0006R0_10000"]


def test_clips_of_whole_sequences_end_where_the_video_pauses(toy):
    for n in (90, 120, 300, 330, 360):
        write(toy / "train" / f"0001TP_{n:06d}.png", np.zeros((4, 6, 3)))
        write(toy / "trainannot" / f"0001TP_{n:06d}.png", np.zeros((4, 6)))
    clips = camvid(toy).clips("train", length="sequence")
    assert [len(clip) for clip in clips] == [4, 3, 1]
    assert clips[1].name == "camvid/train/0001TP_000300"
    assert [len(clip) for clip in camvid(toy).clips("train", length=3)] == [3, 1, 3, 1]


def test_real_training_sequences(real):
    clips = camvid(real).clips("train", length="sequence")
    assert [len(clip) for clip in clips] == [62, 101, 68, 120, 16]  # 367 together
    steps = {
        int(b.split("_")[1].lstrip("f")) - int(a.split("_")[1].lstrip("f"))
        for clip in clips
        for a, b in zip(clip.frames, clip.frames[1:])
    }
    assert steps == {29, 30, 31}
