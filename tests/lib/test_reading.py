"""Reading within limits, and without waiting."""

import os

import pytest

from lib.reading import open_to_read, read_json


def test_json(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, 2.5]}')
    assert read_json(path, 15) == {"a": [1, 2.5]}
    with pytest.raises(ValueError, match="more than 14 bytes"):
        read_json(path, 14)


@pytest.mark.parametrize("text", ["", "{", "\0", "[" * 10**5])
def test_what_is_no_json(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError):
        read_json(tmp_path / "a.json", 10**6)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with open_to_read(tmp_path / "pipe") as file:
        assert file.read() == b""
