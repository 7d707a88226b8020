"""Files of installed packages."""

import sys

import pytest

from lib.video.errors import VideoError
from lib.video.packaged import packaged_file


def test_a_file_without_an_import(tmp_path, monkeypatch):
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "shipped" / "a.mp4").write_bytes(b"movie")
    monkeypatch.syspath_prepend(tmp_path)
    assert packaged_file("shipped", "a.mp4").read_bytes() == b"movie"
    assert "shipped" not in sys.modules
    with pytest.raises(VideoError, match="has no b.mp4: install scikit-shipped again"):
        packaged_file("shipped", "b.mp4", "scikit-shipped")


def test_a_package_that_is_not_there():
    with pytest.raises(VideoError, match="a.mp4: its package scikit-no is not installed"):
        packaged_file("no_such_package", "a.mp4", "scikit-no")
