"""A small movie."""

import pytest

from tests.lib.video.movies import make_movie


@pytest.fixture
def movie(tmp_path):
    return make_movie(tmp_path / "street.mp4")
