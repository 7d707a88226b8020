import re

import numpy as np
import pytest
from PIL import Image

from lib import plot_util
from lib.plot import gallery

NOT_DRAWN = {"embed", "segm_cmap", "wrong_share"}  # text, a constant, a number


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return list(gallery.draw(tmp_path_factory.mktemp("pictures")))


def test_every_helper_has_a_picture_and_no_other(drawn):
    names = {path.stem for path in drawn}
    assert names == set(plot_util.__all__) - NOT_DRAWN
    assert {path.name for path in gallery.FOLDER.iterdir()} == {path.name for path in drawn}


def test_every_picture_has_a_row_in_the_readme(drawn, root):
    text = (root / "lib/README.md").read_text()
    rows = re.findall(
        r"^\| `(\w+)` \| [^|]+ \| !\[[^]]+\]\(plot/pictures/(\w+)\.png\) \|$", text, re.M
    )
    assert all(name == picture for name, picture in rows)
    assert sorted(name for name, _ in rows) == sorted(path.stem for path in drawn)
    assert all(f"`{name}`" in text for name in NOT_DRAWN)


def test_pictures_are_small_and_show_something(drawn):
    for path in (*drawn, *gallery.FOLDER.iterdir()):
        assert path.stat().st_size < 25_000, path
        picture = np.asarray(Image.open(path).convert("RGB"))
        assert picture.shape[1] < 1000 and len(np.unique(picture.reshape(-1, 3), axis=0)) > 5, path


def test_the_film_moves(drawn):
    [path] = [path for path in drawn if path.stem == "animate"]
    with Image.open(path) as film:
        frames = []
        for number in range(film.n_frames):
            film.seek(number)
            frames.append(np.asarray(film.convert("RGB")))
    assert len(frames) == 6
    assert all((a != b).any() for a, b in zip(frames, frames[1:], strict=False))


def test_a_helper_is_called_by_its_own_picture():
    for name, function in gallery.PICTURES.items():
        assert name in function.__code__.co_names
