"""NYUDv2: a toy copy of the official layout, the miniature, and real images if they are there."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from datasets.errors import DatasetError
from datasets.miniature import miniature
from datasets.nyud_seg import nyud

TIMES = (998.5, 999.25, 1000.125, 1000.5, 1001.0)  # sorted as text, 1000 precedes 998
FRAMES = [f"r-{time}-{7 - k}" for k, time in enumerate(TIMES)]


def write_image(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)


def write_label(root, idx, label, key="segmentation"):
    path = root / "segmentation" / f"img_{idx}.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {key: label})
    return path


def write_lines(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def real(shared_folder):
    """Folder of real samples."""
    return shared_folder("samples/nyud")


@pytest.fixture
def toy(tmp_path):
    """A kitchen of five 64 x 48 raw frames with depth, of which the third and last are labelled.

    The label of image n holds 0, 1, 40 and n - 5000 as columns of 14 pixels.
    """
    for k, name in enumerate(FRAMES):
        write_image(tmp_path / "raw" / "kitchen_0001" / f"{name}.ppm", np.full((48, 64, 3), 50 + k))
        write_image(tmp_path / "raw" / "kitchen_0001" / f"d{name[1:]}.ppm", np.zeros((48, 64, 3)))
    write_image(tmp_path / "raw" / "office_0002" / "r-3.5-1.png", np.full((48, 64, 3), 99))
    for idx, k in (("5003", 2), ("5005", 4)):
        write_image(tmp_path / "images" / f"img_{idx}.png", np.full((42, 56, 3), 50 + k))
        columns = np.array([0, 1, 40, k + 1], np.uint8)
        write_label(tmp_path, idx, np.tile(np.repeat(columns, 14), (42, 1)))
    write_lines(tmp_path / "test.txt", ["5005", "5003"])
    write_lines(
        tmp_path / "test_rawImages.txt",
        [f"kitchen_0001/{FRAMES[4]}.jpg", f"kitchen_0001/{FRAMES[2]}.ppm"],
    )
    savemat(tmp_path / "train.mat", {"split_ids": np.array([[5003], [5005]], np.uint16)})
    return tmp_path


def test_constants():
    assert len(nyud.classes) == len(nyud.palette) == nyud.num_classes == 40
    assert [nyud.classes[k] for k in (0, 1, 4, 39)] == ["wall", "floor", "chair", "otherprop"]
    assert len({tuple(color) for color in [*np.asarray(nyud.palette).tolist(), (0, 0, 0)]}) == 41
    np.testing.assert_allclose(nyud.mean, (116.2, 97.2, 92.3))


def test_lists_of_ids_and_their_raw_frames(toy):
    data = nyud(toy)
    assert data.get_dset("test") == data.get_dset() == ["5005", "5003"]
    raw = [("kitchen_0001", FRAMES[4]), ("kitchen_0001", FRAMES[2])]
    assert data.get_dset("raw") == data.get_dset("test", raw=True) == raw
    assert data.raw_frame("test", "5003") == data.raw_frame("test", 5003) == raw[1]
    assert data.list_vids() == ["kitchen_0001", "office_0002"]
    assert data.list_vids("test") == ["kitchen_0001"]


@pytest.mark.parametrize(
    "ids",
    [
        np.array([[5003, 5005]], np.float64),
        np.array([["img_5003"], ["img_5005"]], object),
        np.array(["5003  ", "5005"]),
    ],
)
def test_ids_from_matlab_files(toy, ids):
    savemat(toy / "val.mat", {"split_ids": ids})
    assert nyud(toy).get_dset("val") == nyud(toy).get_dset("train") == ["5003", "5005"]


def test_loads_images_and_labels(toy):
    data = nyud(toy)
    assert data.load_image("5003").size == data.load_seg_image(5003).size == (56, 42)
    label = data.load_label("5003")
    assert label.shape == (1, 42, 56) and label.dtype == np.uint8
    assert label[0, 0, ::14].tolist() == [255, 0, 39, 2]  # 0 is ignore, 1 is wall
    assert data.palette(label).size == (56, 42)
    boundary = data.make_boundaries(label, thickness=2)[0]
    assert boundary.nonzero()[0].tolist() == [26, 27, 28, 29, 40, 41, 42, 43]


def test_frames_come_in_time_order_without_depth(toy):
    data = nyud(toy)
    assert data.list_frames("kitchen_0001") == FRAMES
    assert data.load_raw_image("kitchen_0001", FRAMES[1]).getpixel((0, 0)) == (51, 51, 51)
    assert data.load_raw_image("office_0002", "r-3.5-1").size == (64, 48)


def test_subsampled_frames_are_in_step_with_the_labelled_one(toy):
    data, vid = nyud(toy), "kitchen_0001"
    assert data.list_subsampled_frames(vid, FRAMES[3], 2) == [FRAMES[1], FRAMES[3]]
    assert data.list_subsampled_frames(vid, FRAMES[2], 2) == FRAMES[::2]
    assert data.list_preceding_frames(2, vid, FRAMES[2]) == [(vid, FRAMES[0]), (vid, FRAMES[2])]
    assert data.list_preceding_frames(1, vid, FRAMES[0]) == [(vid, FRAMES[0])]
    for skip in (0, -1):
        with pytest.raises(DatasetError, match="skip of at least 1"):
            data.list_subsampled_frames(vid, FRAMES[3], skip)


def test_crop_is_the_labelled_window(toy):
    data = nyud(toy)
    rows, columns = np.mgrid[:480, :640]
    channels = [rows % 256, columns % 256, rows // 256 + columns // 256 * 2]
    frame = np.stack(channels, axis=-1).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(data.crop_frame(frame)), frame[44:469, 40:600])
    half = Image.fromarray(frame).crop((0, 0, 320, 240))
    np.testing.assert_array_equal(np.asarray(data.crop_frame(half)), frame[22:234, 20:300])
    assert data.preprocess(data.crop_frame(half)).shape == (3, 212, 280)


def test_clips_end_in_a_labelled_frame_and_may_hold_others(toy):
    last, third = nyud(toy).clips("test", length=4)
    assert (last.name, third.name) == ("nyud/test/5005", "nyud/test/5003")
    assert [frame for _, frame in last.frames] == FRAMES[1:]
    assert [frame for _, frame in third.frames] == FRAMES[:3]  # the video starts there
    assert [label is None for _, label in last] == [True, False, True, False]
    in_, label = last[1]
    assert in_.shape == (3, 42, 56) and label.shape == (42, 56)
    np.testing.assert_allclose(in_[:, 0, 0], 52 - nyud.mean)
    assert label[0, -1] == 2 and last.label(3)[0, -1] == 4


def test_clips_of_every_second_frame(toy):
    last, third = nyud(toy).clips("test", length=2, skip=2)
    assert [frame for _, frame in last.frames] == [FRAMES[2], FRAMES[4]]
    assert last.label(0) is not None
    for length, skip in ((0, 1), (2, 0)):
        with pytest.raises(DatasetError, match="at least 1"):
            nyud(toy).clips("test", length, skip)


def test_images_of_unknown_raw_frame_have_no_clip(toy):
    write_lines(toy / "test_rawImages.txt", ["", f"kitchen_0001/{FRAMES[2]}.ppm", ""])
    data = nyud(toy)
    assert data.get_dset("raw") == [None, ("kitchen_0001", FRAMES[2])]
    assert [clip.name for clip in data.clips("test")] == ["nyud/test/5003"]
    with pytest.raises(DatasetError, match="does not name the raw frame of image '5005'"):
        data.raw_frame("test", "5005")


def test_videos_have_no_labels(toy):
    kitchen, office = nyud(toy).videos(skip=2)
    assert [frame for _, frame in kitchen.frames] == FRAMES[::2]
    assert all(label is None for _, label in kitchen)
    assert office[0][0].shape == (3, 42, 56)
    assert [clip.name for clip in nyud(toy).videos("test")] == ["nyud/kitchen_0001"]


def test_missing_lists_and_files(toy, tmp_path):
    with pytest.raises(DatasetError, match="(?s)no images/.*nyud.tar.gz.*CLOCKWORK_NYUD"):
        nyud(tmp_path / "nowhere")
    data = nyud(toy)
    with pytest.raises(DatasetError, match="val.txt: no such list; .*there is test, train"):
        data.get_dset("val")
    with pytest.raises(DatasetError, match="train_rawImages.txt: no such list; officially only"):
        data.clips("train")
    with pytest.raises(DatasetError, match="bathroom_0009: no such video"):
        data.list_frames("bathroom_0009")
    with pytest.raises(DatasetError, match="r-1-1: no such frame in this video of 5 frames"):
        data.list_subsampled_frames("kitchen_0001", "r-1-1", 2)
    with pytest.raises(DatasetError, match="r-1-1.ppm: no such frame"):
        data.load_raw_image("kitchen_0001", "r-1-1")
    with pytest.raises(DatasetError, match="img_1.png: no such file"):
        data.load_label("1")
    (toy / "segmentation" / "img_5003.mat").unlink()
    with pytest.raises(DatasetError, match="img_5003.mat: no such file"):
        data.load_label("5003")
    (toy / "images" / "img_5005.png").unlink()
    with pytest.raises(DatasetError, match="img_5005.png: no such file"):
        data.load_label("5005")  # a label without its image
    (toy / "raw" / "empty").mkdir()
    with pytest.raises(DatasetError, match="empty: holds no frame"):
        data.list_frames("empty")


def test_bad_lists(toy):
    data = nyud(toy)
    write_lines(toy / "test_rawImages.txt", [f"kitchen_0001/{FRAMES[4]}.ppm"])
    with pytest.raises(DatasetError, match="test_rawImages.txt: has 1 lines for the 2 ids"):
        data.get_dset("raw")
    write_lines(toy / "test_rawImages.txt", [f"kitchen_0001/{FRAMES[4]}.ppm", FRAMES[2]])
    with pytest.raises(DatasetError, match="line 2: 'r-1000.125-5' is not video/frame"):
        data.get_dset("raw")
    write_lines(toy / "test.txt", [])
    with pytest.raises(DatasetError, match="test.txt: the list is empty"):
        data.get_dset("test")
    savemat(toy / "train.mat", {"ids": [5003]})
    with pytest.raises(DatasetError, match="train.mat: holds no 'split_ids' but 'ids'"):
        data.get_dset("train")
    for ids in ([5003.5], [[]], np.array([{"a": 1}], object)):
        savemat(toy / "train.mat", {"split_ids": ids})
        with pytest.raises(
            DatasetError, match="train.mat: .*(is not the id|lists no ids|is a struct)"
        ):
            data.get_dset("train")
    write_image(toy / "raw" / "kitchen_0001" / "r-noon-1.ppm", np.zeros((48, 64, 3)))
    with pytest.raises(DatasetError, match="r-noon-1: no time in the name"):
        data.list_frames("kitchen_0001")


@pytest.mark.parametrize(
    "label, message",
    [
        (np.full((42, 56), 41), "label value 41 is not one of 0..40"),
        (np.full((42, 56), -1), "label value -1"),
        (np.full((42, 56), 1.5), "label value 1.5"),
        (np.full((42, 56), np.nan), "label value nan"),
        (np.zeros((21, 28)), "label is 28 x 21 but its frame is 56 x 42"),
        (np.zeros((42, 56, 3)), "one number per pixel"),
        (np.full((42, 56), "a"), "one number per pixel"),
    ],
)
def test_bad_label(toy, label, message):
    write_label(toy, "5003", label)
    with pytest.raises(DatasetError, match=f"img_5003.mat: .*{message}"):
        nyud(toy).load_label("5003")


def test_label_of_another_key(toy):
    write_label(toy, "5003", np.ones((42, 56)), key="depth")
    with pytest.raises(DatasetError, match="img_5003.mat: holds no 'segmentation' but 'depth'"):
        nyud(toy).load_label("5003")


def test_raw_frame_of_another_size_than_its_label(toy):
    write_image(toy / "raw" / "kitchen_0001" / f"{FRAMES[4]}.ppm", np.zeros((24, 32, 3)))
    with pytest.raises(
        DatasetError,
        match="img_5005.mat: the label is 56 x 42 but the labelled window of "
        f".*{FRAMES[4]}.ppm is 28 x 21",
    ):
        nyud(toy).clips("test")[0].label(-1)


def test_real_images(tmp_path, real):
    names = sorted(path.stem for path in real.glob("*.png") if "_mask" not in path.stem)
    (tmp_path / "images").mkdir()
    for name in names:
        (tmp_path / "images" / f"img_{name}.png").symlink_to(real / f"{name}.png")
        mask = np.asarray(Image.open(real / f"{name}_mask.png"))
        write_label(tmp_path, name, np.where(mask == 255, 0, mask + 1))
    write_lines(tmp_path / "test.txt", names)
    data = nyud(tmp_path)
    assert len(data.get_dset("test")) == 5
    walls = []
    for idx in data.get_dset("test"):
        label, im = data.load_label(idx), data.load_image(idx)
        mask = np.asarray(Image.open(real / f"{idx}_mask.png"))
        assert (label[0] == mask).all() and im.size == mask.shape[::-1]
        assert data.preprocess(im).shape == (3, *mask.shape)
        walls.append((label == data.classes.index("wall")).mean())
    assert all(walls) and np.mean(walls) > 0.1


def test_reads_the_miniature(tmp_path):
    data = nyud(
        miniature("nyud", tmp_path / "nyud", test=1, val=0, train=0, size=(160, 120), workers=1)
    )
    (vid,) = data.list_vids("test")
    frames = data.list_frames(vid)
    clips = data.clips("test", length=6)
    assert data.list_vids() == [vid] and len(clips) == len(data.get_dset("test"))
    for idx, clip in zip(data.get_dset("test"), clips, strict=True):
        last = data.raw_frame("test", idx)
        position = frames.index(last[1])
        assert clip.frames[-1] == last
        assert [frame for _, frame in clip.frames] == frames[position - 5 : position + 1]
        # the labelled image equals the window of its raw frame
        np.testing.assert_array_equal(np.asarray(clip.image(-1)), np.asarray(data.load_image(idx)))
        assert clip.label(-1).shape == (106, 140) and (clip.label(-1) < 40).mean() > 0.8


def test_a_frame_spelled_another_way(toy):
    video = toy / "raw" / "kitchen_0001"
    (video / f"{FRAMES[1]}.ppm").rename(video / f"{FRAMES[1]}.PPM")
    with pytest.raises(DatasetError, match=f"{FRAMES[1]}.PPM is not found by this name; rename it"):
        nyud(toy).clips("test")


@pytest.mark.parametrize("time", ["nan", "inf", "1e3", "-5", "1_0", ""])
def test_frames_have_a_time(toy, time):
    write_image(toy / "raw" / "office_0002" / f"r-{time}-1.png", np.zeros((48, 64, 3)))
    with pytest.raises(DatasetError, match="no time in the name of this frame"):
        nyud(toy).list_frames("office_0002")
