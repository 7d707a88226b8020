"""Youtube-Objects: a toy copy of the layout with two classes and masks on every fifth frame."""

import numpy as np
import pytest
from PIL import Image

from datasets.errors import DatasetError
from datasets.pascal_voc import pascal
from datasets.youtube import CLASSES, youtube
from datasets.youtube_files import frame_number

DOG, CAT = ("dog", "0002", "001"), ("cat", "0001", "003")


def shot_folders(root, name):
    """Return the folders of the frames and of the masks of a shot."""
    place = f"{name[0]}/data/{name[1]}/shots/{name[2]}"
    return root / "v1" / place, root / "youtube_masks" / place / "labels"


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8)).save(path, quality=95)
    return path


def write_shot(root, name, frames, masks, size=(60, 80)):
    """Write a shot of `size` (h, w): frame n has the grey level n, its left half is the object."""
    frame_folder, mask_folder = shot_folders(root, name)
    for n in frames:
        write(frame_folder / f"frame{n:04d}.jpg", np.full((*size, 3), n))
    mask = np.zeros(size)
    mask[:, : size[1] // 2] = 255
    for n in masks:
        write(mask_folder / f"{n:05d}.jpg", mask)


@pytest.fixture
def toy(tmp_path):
    """A dog, 31 frames with masks on 1, 6, ..., 31, and an upright cat, 12 frames, 2 masks."""
    write_shot(tmp_path, DOG, range(1, 32), range(1, 32, 5))
    write_shot(tmp_path, CAT, range(1, 13), (2, 12), size=(90, 30))
    write_shot(tmp_path, ("dog", "0001", "002"), (1, 2), ())  # has no masks
    return tmp_path


def test_classes_are_a_subset_of_voc():
    assert len(CLASSES) == len(youtube.palette) == 11
    for k, name in enumerate(CLASSES):
        of_voc = pascal.classes.index(name)
        assert youtube.from_voc[of_voc] == k
        assert (youtube.palette[k] == pascal.palette[of_voc]).all()
    assert youtube.from_voc[pascal.classes.index("person")] == 0
    assert youtube.from_voc[255] == 255 and youtube.from_voc.dtype == np.uint8


def test_lists(toy):
    data = youtube(toy)
    assert data.list_vids("dog") == ["0001", "0002"] and data.list_label_vids("dog") == ["0002"]
    assert data.list_shots("dog", "0001") == ["002"]
    assert data.list_label_shots("cat", "0001") == ["003"]
    assert data.list_frames(*DOG)[::15] == [1, 16, 31]
    assert data.list_label_frames(*CAT) == [2, 12]
    assert data.list_vids("train") == data.list_label_vids("train") == []
    assert data.load_dataset() == [CAT, DOG]


def test_frames_are_sorted_by_number(toy):
    write_shot(toy, DOG, (9999, 10000), ())
    assert youtube(toy).list_frames(*DOG)[-2:] == [9999, 10000]


@pytest.mark.parametrize("idx", [16, "16", "00016", "frame0016", "frame0016.jpg"])
def test_frame_is_given_by_number_or_name(toy, idx):
    data = youtube(toy)
    assert frame_number(idx) == 16
    assert data.load_frame(*DOG, idx).getpixel((5, 5)) == (16, 16, 16)
    assert data.load_label(*DOG, idx).any()


@pytest.mark.parametrize("side", [40, 500])
def test_frames_and_masks_are_resized_alike(toy, side):
    data = youtube(toy, side=side)
    for name, (width, height) in ((DOG, (side, side * 3 // 4)), (CAT, (round(side / 3), side))):
        assert data.load_frame(*name, 2).size == (width, height)
        write_shot(toy, name, (), (2,), size=(60, 80) if name == DOG else (90, 30))
        label = data.load_label(*name, 2)
        assert label.shape == (1, height, width) and label.dtype == np.uint8
        assert label[:, :, : width // 2 - 1].all() and not label[:, :, width // 2 + 1 :].any()


def test_above_15_is_the_object(toy):
    write(shot_folders(toy, DOG)[1] / "00001.jpg", np.full((60, 80), 15))
    assert not youtube(toy).load_label(*DOG, 1).any()
    write(shot_folders(toy, DOG)[1] / "00001.jpg", np.full((60, 80), 16))
    assert youtube(toy).load_label(*DOG, 1).all()


def test_label_of_a_given_shape(toy):
    assert youtube(toy).load_label(*DOG, 1, (12, 20)).shape == (1, 12, 20)


def test_class_ids(toy):
    data = youtube(toy)
    mask = data.load_label(*DOG, 1)
    label = data.make_label(mask, "dog")
    assert set(np.unique(label)) == {0, data.classes.index("dog")} and label.shape == mask.shape
    of_voc = data.convert_yt2voc_label(mask, "dog", pascal.classes)
    assert set(np.unique(of_voc)) == {0, 12} and of_voc.dtype == np.uint8
    assert (data.from_voc[of_voc] == label).all()


def test_clips_are_in_step_with_the_masks(toy):
    (dog,) = youtube(toy).clips(period=10)  # the cat has no mask from frame 21 on
    assert dog.name == "dog/0002/001" and dog.frames == [1, 11, 21, 31]
    assert [dog.label(i) is None for i in range(4)] == [True, True, False, False]
    in_, label = dog[2]
    assert in_.shape == (3, 375, 500) and set(np.unique(label)) == {0, 7}
    assert np.allclose(in_[:, 0, 0], 21 - youtube.mean)


def test_clips_start_before_the_first_mask_and_end_with_the_last(toy):
    clips = {clip.name: clip for clip in youtube(toy, side=80).clips(period=2, ids="voc")}
    assert clips["cat/0001/003"].frames == [2, 4, 6, 8, 10, 12]
    dog = clips["dog/0002/001"]
    labelled = [n for n, (_, label) in zip(dog.frames, dog, strict=True) if label is not None]
    assert labelled == [11, 21, 31]  # 1 is before 2 * 2 + 1, the other masks are out of step
    assert clips["cat/0001/003"].label(5).max() == pascal.classes.index("cat")


def test_mask_is_loaded_as_stored(toy):
    mask = youtube(toy, side=40).load_mask(*DOG, 6)
    assert (mask.mode, mask.size) == ("L", (80, 60))
    assert mask.getpixel((10, 30)) > 240 and mask.getpixel((70, 30)) < 15
    with pytest.raises(DatasetError, match="00007.jpg"):
        youtube(toy).load_mask(*DOG, 7)


def test_clips_without_warm_up(toy):
    cat, dog = youtube(toy).clips(period=10, warmup=0)
    assert cat.frames == [2, 12] and cat.label(0) is not None and dog.label(0) is not None


def test_clips_of_several_periods_are_scored_on_the_same_frames(toy):
    for period in (2, 5, 10):
        (dog,) = youtube(toy).clips(period, warmup=15, label_period=10)
        labels = [label is not None for _, label in dog]
        assert [n for n, labelled in zip(dog.frames, labels, strict=True) if labelled] == [21, 31]
    with pytest.raises(DatasetError, match="label_period=10 is not a multiple of the period 4"):
        youtube(toy).clips(4, label_period=10)


def test_splits_are_lists_of_shots(toy):
    (toy / "test.txt").write_text("dog/0002/001\n")
    assert youtube(toy).load_dataset("test") == [DOG]
    assert [clip.name for clip in youtube(toy).clips(split="test")] == ["dog/0002/001"]
    with pytest.raises(DatasetError, match="train.txt.*"):
        youtube(toy).load_dataset("train")
    (toy / "test.txt").write_text("dog/0001/002\n")
    with pytest.raises(DatasetError, match="test.txt: dog/0001/002 is not a class/video/shot"):
        youtube(toy).load_dataset("test")


def test_error_of_a_mask_without_frame_names_both(toy):
    (shot_folders(toy, DOG)[0] / "frame0021.jpg").unlink()
    for use in (lambda data: data.load_label(*DOG, 21), lambda data: data.clips()):
        with pytest.raises(DatasetError, match=r"00021.jpg: a mask without its frame.*frame0021"):
            use(youtube(toy))


def test_missing_root_class_shot_frame_and_mask(toy, tmp_path):
    with pytest.raises(DatasetError, match="CLOCKWORK_YOUTUBE"):
        youtube(tmp_path / "nowhere")
    data = youtube(toy)
    for use in (lambda: data.list_vids("zebra"), lambda: data.make_label([1], "zebra")):
        with pytest.raises(DatasetError, match="no class 'zebra'"):
            use()
    with pytest.raises(DatasetError, match="009: no such folder"):
        data.list_frames("dog", "0002", "009")
    with pytest.raises(DatasetError, match="frame0099.jpg: no such file"):
        data.load_frame(*DOG, 99)
    with pytest.raises(DatasetError, match="00002.jpg: no such file"):
        data.load_label(*DOG, 2)
    with pytest.raises(DatasetError, match="'dog.jpg': neither"):
        data.load_frame(*DOG, "dog.jpg")


def test_empty_folders(toy):
    frames, masks = shot_folders(toy, ("cow", "0001", "001"))
    frames.mkdir(parents=True)
    masks.mkdir(parents=True)
    for use in (youtube(toy).list_frames, youtube(toy).list_label_frames):
        with pytest.raises(DatasetError, match="cow/data/0001/shots/001.*: holds no"):
            use("cow", "0001", "001")


def test_no_masks_at_all(tmp_path):
    write_shot(tmp_path, DOG, (1,), ())
    with pytest.raises(DatasetError, match="youtube_masks: holds no masks"):
        youtube(tmp_path).clips()


def test_bad_masks_and_frames(toy):
    frame, mask = shot_folders(toy, DOG)[0] / "frame0001.jpg", shot_folders(toy, DOG)[1]
    write(mask / "00001.jpg", np.zeros((80, 60)))
    with pytest.raises(DatasetError, match=r"00001.jpg: the mask is 60 x 80.*frame0001"):
        youtube(toy).load_label(*DOG, 1)
    (mask / "00001.jpg").write_bytes(b"no image")
    with pytest.raises(DatasetError, match="00001.jpg: damaged"):
        youtube(toy).load_label(*DOG, 1)
    frame.write_bytes(frame.read_bytes()[:300])
    with pytest.raises(DatasetError, match="frame0001.jpg: damaged"):
        youtube(toy).load_frame(*DOG, 1)


@pytest.mark.parametrize("options", [{"period": 0}, {"ids": "coco"}])
def test_invalid_clip_options(toy, options):
    with pytest.raises(DatasetError, match="the period is at least 1"):
        youtube(toy).clips(**options)


def test_a_missing_frame_without_a_mask_is_named(toy):
    (shot_folders(toy, DOG)[0] / "frame0004.jpg").unlink()
    with pytest.raises(DatasetError, match="frame0004.jpg: this frame is missing in the video"):
        youtube(toy).clips(period=1, warmup=0)
    assert len(youtube(toy).clips(period=5, warmup=0)[-1]) == 7  # does not use it
    (shot_folders(toy, DOG)[0] / "frame0001.jpg").unlink()
    with pytest.raises(DatasetError, match="frame0001.jpg"):
        youtube(toy).clips(period=5)


@pytest.mark.parametrize("part, name", [(0, "frame0004"), (1, "00006")])
def test_a_file_spelled_another_way(toy, part, name):
    folder = shot_folders(toy, DOG)[part]
    (folder / f"{name}.jpg").rename(folder / f"{name}.JPG")
    with pytest.raises(DatasetError, match=f"{name}.JPG is not found by this name; rename it"):
        youtube(toy).clips(period=1, warmup=0)
