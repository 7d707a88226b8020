"""Cityscapes: a toy copy of the official layout, and real samples if they are there."""

import numpy as np
import pytest
from PIL import Image

from datasets.cityscapes import cityscapes
from datasets.drawn.street import classes as street_classes
from datasets.errors import DatasetError


def write(root, package, city, shot, frame, ending, array):
    path = root / package / "val" / city / f"{city}_{shot:06d}_{frame:06d}_{ending}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8)).save(path)
    return path


@pytest.fixture
def real(shared_folder):
    """Folder of real samples."""
    return shared_folder("samples/cityscapes")


@pytest.fixture
def toy(tmp_path):
    """Two cities, ulm labelled by ids and bonn by train ids; snippets of frames 6 to 9."""
    ids = [[7, 26, 0, 33, 1]] * 3
    train_ids = [[0, 13, 255, 18, 255]] * 3
    for city in ("ulm", "bonn"):
        for frame in range(6, 10):
            grey = np.full((3, 5, 3), frame)
            write(tmp_path, "leftImg8bit_sequence", city, 2, frame, "leftImg8bit", grey)
        write(tmp_path, "leftImg8bit", city, 2, 9, "leftImg8bit", np.full((3, 5, 3), 9))
    write(tmp_path, "gtFine", "ulm", 2, 9, "gtFine_labelIds", ids)
    write(tmp_path, "gtFine", "bonn", 2, 9, "gtFine_labelTrainIds", train_ids)
    return tmp_path


def test_classes_come_in_train_id_order():
    assert len(cityscapes.classes) == len(cityscapes.palette) == 19
    assert cityscapes.classes[0] == "road" and cityscapes.classes[18] == "bicycle"
    assert cityscapes.palette[13].tolist() == [0, 0, 142]  # car


def test_street_classes_agree():
    for k, name in enumerate(cityscapes.classes):
        assert getattr(street_classes, name.replace(" ", "_").upper()) == k


def test_lists_and_loads(toy):
    data = cityscapes(toy)
    labelled = ["bonn_000002_000009", "ulm_000002_000009"]
    assert data.list_label_frames("val") == labelled
    assert data.get_dset("val") == [("bonn", labelled[0]), ("ulm", labelled[1])]
    for name in labelled:  # ids and train ids give the same label
        label = data.load_label("val", name)
        assert label.shape == (1, 3, 5) and label.dtype == np.uint8
        assert label[0, 0].tolist() == [0, 13, 255, 18, 255]


def test_painted_labels_are_supported(toy):
    palette = cityscapes.palette
    painted = [[palette[0], palette[13], palette[5], palette[18], (0, 0, 0)]] * 3
    write(toy, "gtFine", "ulm", 2, 9, "gtFine_labelIds", painted)
    label = cityscapes(toy).load_label("val", "ulm_000002_000009")
    assert label[0, 0].tolist() == [0, 13, 5, 18, 255]


def test_assign_trainIds():
    ids = np.array([[7, 8, 11, 33, 0, 9, 29, 255]], np.uint8)
    assert cityscapes.id_to_trainId[ids].tolist() == [[0, 1, 2, 18, 255, 255, 255, 255]]


def test_clips_end_in_the_labelled_frame(toy):
    clip = cityscapes(toy).clips("val", length=3)[1]
    assert clip.frames == ["ulm_000002_000007", "ulm_000002_000008", "ulm_000002_000009"]
    assert [label is None for _, label in clip] == [True, True, False]
    assert clip.image(0).getpixel((0, 0)) == (7, 7, 7)


def test_sequence_labels_are_used_if_they_exist(toy):
    write(toy, "gtFine_sequence", "ulm", 2, 8, "gtFine_labelIds", np.full((3, 5), 23))
    clip = cityscapes(toy).clips("val", length=3)[1]
    assert clip.label(0) is None
    assert (clip.label(1) == 10).all()  # id 23 is sky


def test_collects_the_frames_up_to_a_label(toy):
    frames = cityscapes(toy).collect_frame_sequence("val", "ulm_000002_000009", 4)
    assert [im.getpixel((0, 0))[0] for im in frames] == [6, 7, 8, 9]


def test_missing_frames_of_a_long_clip_are_named(toy):
    with pytest.raises(DatasetError, match="bonn_000002_000005_leftImg8bit.png: no such frame"):
        cityscapes(toy).clips("val", length=5)
    with pytest.raises(DatasetError, match="only 9 frames come before"):
        cityscapes(toy).clips("val", length=11)


@pytest.mark.parametrize("length", [0, -3])
def test_clip_length_is_at_least_1(toy, length):
    with pytest.raises(DatasetError, match="at least 1"):
        cityscapes(toy).clips("val", length)
    with pytest.raises(DatasetError, match="at least 1"):
        cityscapes(toy).collect_frame_sequence("val", "ulm_000002_000009", length)


def test_frame_may_be_given_with_its_city(toy):
    data, frame = cityscapes(toy), "ulm_000002_000009"
    assert data.load_image("val", "ulm", frame) == data.load_image("val", frame)
    np.testing.assert_array_equal(
        data.load_label("val", "ulm", frame), data.load_label("val", frame)
    )


def test_missing_root_split_frame_and_label(toy, tmp_path):
    with pytest.raises(DatasetError, match="CLOCKWORK_CITYSCAPES"):
        cityscapes(tmp_path / "nowhere")
    data = cityscapes(toy)
    with pytest.raises(DatasetError, match="splits val"):
        data.list_label_frames("test")
    with pytest.raises(DatasetError, match="ulm_000002_000001"):
        data.load_image("val", "ulm_000002_000001")
    with pytest.raises(DatasetError, match="ulm_000002_000008.*no such label"):
        data.load_label("val", "ulm_000002_000008")
    with pytest.raises(DatasetError, match="city_shot_frame"):
        data.collect_frame_sequence("val", "ulm", 2)


def test_bad_label(toy):
    write(toy, "gtFine", "ulm", 2, 9, "gtFine_labelIds", np.full((3, 5), 34))
    with pytest.raises(DatasetError, match="value 34"):
        cityscapes(toy).load_label("val", "ulm_000002_000009")
    write(toy, "gtFine", "bonn", 2, 9, "gtFine_labelTrainIds", np.zeros((6, 10)))
    with pytest.raises(DatasetError, match="10 x 6 but its frame is 5 x 3"):
        cityscapes(toy).load_label("val", "bonn_000002_000009")


def test_real_pairs(real):
    clip = cityscapes(real).clips("val", length=2)[0]
    in_, label = clip[1]
    assert in_.shape == (3, 1024, 2048) and label.shape == (1024, 2048)
    assert clip.label(0) is None
    assert (label == 0).mean() > 0.1  # road


def test_real_label_ids(tmp_path, real):
    for package, ending in (("gtFine", "gtFine_labelIds"), ("leftImg8bit", "leftImg8bit")):
        folder = tmp_path / package / "val" / "frankfurt"
        folder.mkdir(parents=True)
        name = f"frankfurt_000001_030310_{ending}.png"
        (folder / name).symlink_to(real / name)
    label = cityscapes(tmp_path).load_label("val", "frankfurt_000001_030310")
    assert label.shape == (1, 1024, 2048)
    assert set(np.unique(label)) <= {*range(19), 255}
    assert (label == 0).mean() > 0.3  # road


@pytest.mark.parametrize("package, ending", [("gtFine", "gtFine_labelIds"), ("leftImg8bit", "")])
def test_a_file_spelled_another_way(toy, package, ending):
    for path in (toy / package / "val" / "ulm").iterdir():
        path.rename(path.with_suffix(".PNG"))
    data = cityscapes(toy)
    with pytest.raises(DatasetError, match="ulm_000002_000009.*PNG is not found by this name"):
        data.clips("val", length=2) if package == "gtFine" else data.get_dset("val")
