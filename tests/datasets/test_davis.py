"""DAVIS in the layout of Youtube-Objects: synthetic sequences, and real ones if they are there."""

import errno

import numpy as np
import pytest
from PIL import Image

from datasets.davis import SEQUENCES, arrange, main
from datasets.errors import DatasetError
from datasets.youtube import youtube


def write_sequence(root, name, frames, edition=""):
    """Write frames of grey level n with one object, or two objects if `edition` is given."""
    for package in ("JPEGImages", "Annotations"):
        (root / package / edition / name).mkdir(parents=True)
    for n in range(frames):
        image = Image.fromarray(np.full((24, 32, 3), n, np.uint8))
        image.save(root / "JPEGImages" / edition / name / f"{n:05d}.jpg")
        mask = np.zeros((24, 32), np.uint8)
        mask[8:16, 8:24] = 255
        if edition:
            mask[8:16, 8:16], mask[8:16, 16:24] = 1, 2
        image = Image.fromarray(mask)
        if edition:
            image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
        image.save(root / "Annotations" / edition / name / f"{n:05d}.png")


@pytest.fixture
def real(shared_folder):
    """Folder of real samples."""
    return shared_folder("samples/davis")


@pytest.fixture
def davis(tmp_path):
    """Four sequences of 7 frames, two of them with multi-object annotations."""
    for k, name in enumerate(SEQUENCES):
        write_sequence(tmp_path / "davis", name, 7, edition="480p" if k % 2 else "")
    return tmp_path / "davis"


def test_halves_become_shots(davis, tmp_path):
    data = youtube(arrange(davis, tmp_path / "new" / "yt"), side=32)
    assert data.load_dataset("train") == [(c, s, "001") for s, c in SEQUENCES.items()]
    assert data.load_dataset("test") == [(c, s, "002") for s, c in SEQUENCES.items()]
    for sequence, class_ in SEQUENCES.items():
        assert len(data.list_frames(class_, sequence, "001")) == 3
        frames = data.list_frames(class_, sequence, "002")
        assert frames == [1, 2, 3, 4]
        assert data.load_frame(class_, sequence, "002", 1).getpixel((0, 0)) == (3, 3, 3)


def test_mask_is_the_union_of_all_objects(davis, tmp_path):
    data = youtube(arrange(davis, tmp_path / "yt"), side=32)
    for clip in data.clips(period=1, warmup=0):
        expected = np.zeros((24, 32), bool)
        expected[8:16, 8:24] = True
        for _, label in clip:
            assert ((label > 0) == expected).all()
        class_ = clip.name.split("/")[0]
        assert label.max() == data.classes.index(class_)


def test_missing_files_are_named_and_nothing_is_written(davis, tmp_path):
    with pytest.raises(DatasetError, match="no sequence swan.*davischallenge"):
        arrange(davis, tmp_path / "yt", {"dog": "dog", "swan": "bird"})
    (davis / "Annotations" / "dog" / "00005.png").unlink()
    with pytest.raises(DatasetError, match="00005.jpg: has no annotation .*00005.png"):
        arrange(davis, tmp_path / "yt")
    Image.new("L", (24, 32)).save(davis / "Annotations" / "dog" / "00005.png")
    with pytest.raises(DatasetError, match="00005.png: is 24 x 32"):
        arrange(davis, tmp_path / "yt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["davis"]


def test_empty_sequence(davis, tmp_path):
    for frame in (davis / "JPEGImages" / "dog").iterdir():
        frame.unlink()
    with pytest.raises(DatasetError, match="dog: holds 0 .jpg frames"):
        arrange(davis, tmp_path / "yt")


def test_existing_folder_is_not_overwritten(davis, tmp_path):
    root = arrange(davis, tmp_path / "yt")
    with pytest.raises(DatasetError, match="yt: exists"):
        arrange(davis, root)


def test_command(davis, tmp_path, capsys):
    command = [str(davis), str(tmp_path / "yt")]
    assert main(command) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "yt")
    assert main(command) == 1
    assert "yt: exists" in capsys.readouterr().err


def test_whole_sequences(davis, tmp_path):
    root = tmp_path / "yt"
    arrange(davis, root, {"dog": "dog"}, {"car-roundabout": "car"}, {"horsejump-high": "horse"})
    data = youtube(root, side=32)
    assert data.load_dataset("train") == [("dog", "dog", "001"), ("car", "car-roundabout", "001")]
    assert data.load_dataset("test") == [("dog", "dog", "002"), ("horse", "horsejump-high", "001")]
    assert data.list_frames("car", "car-roundabout", "001") == list(range(1, 8))
    assert data.load_frame("horse", "horsejump-high", "001", 7).getpixel((0, 0)) == (6, 6, 6)
    assert [len(clip) for clip in data.clips(1, "test", warmup=0)] == [4, 7]


def test_command_with_any_sequences(davis, tmp_path, capsys):
    write_sequence(davis, "bear", 3)
    root = tmp_path / "yt"
    command = [str(davis), str(root), "--train", "bear=cow", "dog=dog", "--test"]
    assert main([*command, "car-roundabout=car"]) == 0
    assert (root / "train.txt").read_text() == "cow/bear/001\ndog/dog/001\n"
    assert (root / "test.txt").read_text() == "car/car-roundabout/001\n"
    for arguments, message in (
        (["--halves", "bear=bear"], "no class 'bear'; choose one of aeroplane, bird"),
        (["--halves", "dog=dog", "--test", "dog=dog"], "dog: given twice"),
        (["--halves", "dog=dog", "dog=cat"], "given twice"),
        (["--test", "../dog=dog"], "'../dog': not the name of a sequence"),
    ):
        assert main([str(davis), str(tmp_path / "new"), *arguments]) == 1
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([str(davis), str(tmp_path / "new"), "--test", "dog"])
    assert "'dog' is not SEQUENCE=CLASS" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("sequences", [{"dog": "wolf"}, {"dog": "background"}, {}])
def test_classes_that_would_be_dropped(davis, tmp_path, sequences):
    with pytest.raises(DatasetError, match="no class|no sequence to convert"):
        arrange(davis, tmp_path / "yt", sequences)


def test_a_sequence_with_a_gap(davis, tmp_path):
    images, masks = (davis / package / "dog" for package in ("JPEGImages", "Annotations"))
    (images / "00003.jpg").rename(images / "00003.JPG")
    with pytest.raises(DatasetError, match="dog: 00003.JPG is not found by this name"):
        arrange(davis, tmp_path / "yt")
    (images / "00003.JPG").unlink()
    with pytest.raises(DatasetError, match="00003.png: an annotation without its frame"):
        arrange(davis, tmp_path / "yt")
    (masks / "00003.png").unlink()
    with pytest.raises(DatasetError, match="dog: frames 3 to 3 are missing"):
        arrange(davis, tmp_path / "yt")
    (images / "00002.jpg").rename(images / "cover.jpg")
    (masks / "00002.png").rename(masks / "cover.png")
    with pytest.raises(DatasetError, match="cover.jpg: not the name of a frame"):
        arrange(davis, tmp_path / "yt")


def test_full_disk(davis, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(DatasetError, match="yt: cannot be written .No space left on device.; make"):
        arrange(davis, tmp_path / "yt")
    assert [path.name for path in tmp_path.iterdir()] == ["davis"]


def test_real_sequence(tmp_path, real):
    data = youtube(arrange(real, tmp_path / "yt", {"motocross-jump": "motorbike"}))
    (clip,) = data.clips(period=9, split="test")
    assert clip.name == "motorbike/motocross-jump/002" and clip.frames == [1, 10, 19]
    in_, label = clip[2]
    assert in_.shape == (3, 281, 500) and label.shape == (281, 500)

    data = youtube(data.dir, side=854)  # JPEG does not change the masks
    for n in (1, 19):
        original = real / "Annotations" / "motocross-jump" / f"{20 + n - 1:05d}.png"
        label = data.load_label("motorbike", "motocross-jump", "002", n)[0] > 0
        assert label.any() and (label != (np.asarray(Image.open(original)) > 0)).mean() < 1e-4
