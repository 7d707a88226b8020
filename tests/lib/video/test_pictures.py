"""Folders of images as videos."""

import numpy as np
import pytest
from PIL import Image

from lib.video.errors import VideoError
from lib.video.frame import MOST_PIXELS
from lib.video.pictures import list_pictures
from lib.video.source import Place, read_frames, source_facts


def save(folder, name, value=0, size=(32, 24), mode="RGB", **options):
    folder.mkdir(exist_ok=True)
    image = Image.new(mode, size, value if mode != "RGB" else (value,) * 3)
    image.save(folder / name, **options)


def test_in_the_order_of_their_numbers(tmp_path):
    for number in (1, 2, 9, 10, 100):
        save(tmp_path / "f", f"frame{number}.png", number)
    (tmp_path / "f" / "notes.txt").write_text("no image")
    frames = list(read_frames(tmp_path / "f"))
    assert [int(frame.rgb()[0, 0, 0]) for frame in frames] == [1, 2, 9, 10, 100]
    assert [frame.time for frame in frames] == [0, 0.04, 0.08, 0.12, 0.16]
    rest = read_frames(tmp_path / "f", start=Place(3, 3))
    assert [int(frame.rgb()[0, 0, 0]) for frame in rest] == [10, 100]


def test_facts(tmp_path):
    for number in range(5):
        save(tmp_path / "f", f"{number}.png")
    facts = source_facts(tmp_path / "f", folder_rate=10)
    assert (facts.size, facts.rate, facts.frames, facts.duration) == ((24, 32), 10, 5, 0.5)


@pytest.mark.parametrize(("mode", "value"), [("L", 90), ("I;16", 90 * 257), ("RGBA", (90,) * 4)])
def test_grey_deep_and_transparent_images(tmp_path, mode, value):
    save(tmp_path / "f", "a.png", value, mode=mode)
    (frame,) = read_frames(tmp_path / "f")
    assert np.abs(frame.rgb().astype(int) - 90).max() <= 1


def test_upright_by_exif(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "f", "a.jpg", exif=exif)
    (frame,) = read_frames(tmp_path / "f")
    assert frame.size == (32, 24)


def error_of(folder):
    numbers = []
    with pytest.raises(VideoError) as raised:
        for frame in read_frames(folder):
            numbers.append(frame.number)
    return numbers, str(raised.value)


def test_a_size_that_changes(tmp_path):
    save(tmp_path / "f", "1.png")
    save(tmp_path / "f", "2.png")
    save(tmp_path / "f", "3.png", size=(24, 32))
    numbers, message = error_of(tmp_path / "f")
    assert numbers == [0, 1]
    assert "3.png, frame 2 " in message and "24 x 32" in message


@pytest.mark.parametrize("content", [b"", b"no image", "cut"])
def test_an_image_that_is_none(tmp_path, content):
    save(tmp_path / "f", "1.png")
    save(tmp_path / "f", "2.png", 3)
    path = tmp_path / "f" / "2.png"
    path.write_bytes(path.read_bytes()[:60] if content == "cut" else content)
    numbers, message = error_of(tmp_path / "f")
    assert numbers == [0]
    assert "2.png, frame 1 " in message


def test_an_image_that_is_too_large(tmp_path):
    side = int(MOST_PIXELS**0.5) + 1
    save(tmp_path / "f", "1.png", 0, size=(side, side), mode="1")
    assert f"{side} x {side} pixels" in error_of(tmp_path / "f")[1]


def test_a_folder_without_images(tmp_path):
    with pytest.raises(VideoError, match="holds no images"):
        list_pictures(tmp_path)
    with pytest.raises(VideoError, match="No such file"):
        list_pictures(tmp_path / "nowhere")
