"""Only regular files of the size of their kind are opened, whatever a path names; nothing waits."""

import contextlib
import io
import os
import resource
import socket
import stat

import pytest

from caffe import files
from caffe.errors import CaffeError, DataError, WeightsError
from caffe.files import FileError, Kind, NotAPath, check_file, open_file, read_file

TEXT = Kind("text", DataError, most=8)
ANY = Kind("text")


@pytest.fixture(autouse=True)
def limit():
    """Reading a device without an end would end at this much memory, as an error."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**35, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def test_reads_a_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"12345678")
    assert read_file(path, TEXT) == read_file(str(path), ANY) == b"12345678"
    assert read_file(path, TEXT, up_to=3) == b"123"
    assert check_file(path, TEXT) == 8
    with open_file(path, TEXT) as file:
        assert file.read(2) == b"12" and file.seek(7) == 7 and file.read() == b"8"
    assert file.closed


def test_a_link_to_a_file_is_the_file(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").symlink_to("a")
    assert read_file(tmp_path / "b", TEXT) == b"1"


def a_pipe(path):
    os.mkfifo(path)


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as s, contextlib.chdir(path.parent):  # 108 bytes at most
        s.bind(path.name)


REFUSED = {  # what makes the path: words of the message
    "pipe": (a_pipe, "this is a pipe, which may never end: name a text on disk"),
    "socket": (a_socket, "this is a socket"),
    "folder": (os.mkdir, "this is a folder: name the text in it"),
    "zero": (lambda path: path.symlink_to("/dev/zero"), "this is a device"),
    "null": (lambda path: path.symlink_to("/dev/null"), "this is a device"),
    "lost": (lambda path: path.symlink_to("elsewhere"), "a link to elsewhere"),
    "loop": (lambda path: path.symlink_to(path.name), "cannot be read: Too many levels"),
    "empty": (lambda path: path.write_bytes(b""), "is empty: it should be a text"),
    "large": (lambda path: path.write_bytes(b"123456789"), "MiB, and a text has .* at most"),
    "gone": (lambda path: None, "no such text in "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_is_no_file_of_the_kind(tmp_path, name):
    make, words = REFUSED[name]
    path = tmp_path / name
    make(path)
    for read in (open_file, read_file, check_file):
        with pytest.raises(DataError, match=f"{path}.*{words}") as caught:
            read(path, TEXT)
        assert caught.value.__cause__ is None and caught.value.__suppress_context__
    if name != "large":
        with pytest.raises(FileError, match=words):
            open_file(path, ANY)


def test_gigabytes_are_refused_unread(tmp_path):
    path = tmp_path / "a"
    with open(path, "wb") as file:
        file.truncate(2**33)  # takes no room on the disk
    with pytest.raises(DataError, match="is 8192 MiB, and a list has 1024 at most"):
        read_file(path, files.LIST)
    assert len(read_file(path, files.DEFINITION, up_to=100)) == 100


def test_a_file_that_grows_while_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    monkeypatch.setattr(files, "open_file", lambda *_: io.BytesIO(b"123456789"))
    with pytest.raises(DataError, match="at most"):
        read_file(path, TEXT)


def test_a_pipe_in_place_of_the_file_that_was_looked_at(tmp_path, monkeypatch):
    """The check of the path may be outrun; that of what was opened may not."""
    path = tmp_path / "a"
    a_pipe(path)
    looked = os.stat(__file__)
    monkeypatch.setattr(os, "stat", lambda *_: looked)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(DataError, match="this is a pipe"):
        open_file(path, TEXT)
    if before:
        assert len(os.listdir("/proc/self/fd")) == before  # it was closed again


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permissions(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    path.chmod(0)
    with pytest.raises(DataError, match="check its permissions"):
        read_file(path, TEXT)


def test_an_error_of_the_disk(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"1")

    class Failing(io.BytesIO):
        def read(self, *_):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(files, "open_file", lambda *_: Failing())
    with pytest.raises(DataError, match="a: cannot be read: Input/output error"):
        read_file(tmp_path / "a", TEXT)


@pytest.mark.parametrize("path", ["a" * 5000, "a/" * 2500, "\0", "a\0b", "\ud800", "x\ny" * 2000])
def test_names_that_no_file_has(path):
    with pytest.raises(DataError) as caught:
        open_file(path, TEXT)
    assert len(str(caught.value)) < 1200 and str(caught.value).isprintable()


def test_missing_files(tmp_path):
    (tmp_path / "weights.caffemodel").write_bytes(b"1")
    with pytest.raises(WeightsError, match="did you mean weights.caffemodel\\?$"):
        open_file(tmp_path / "weight.caffemodel", files.WEIGHTS)
    with pytest.raises(WeightsError, match="see nets/README.md"):
        open_file(tmp_path / "x", files.WEIGHTS)
    with pytest.raises(WeightsError, match="the folder .*b does not exist .working folder"):
        open_file(tmp_path / "b" / "x", files.WEIGHTS)


@pytest.mark.parametrize(
    "value, words",
    [
        (3, "not int"),
        (None, "not NoneType"),
        ([b"a"], "not list"),
        (b"net", "bytes in place of the path"),
        (io.BytesIO(b"a"), "not BytesIO"),
    ],
)
def test_what_is_no_path(value, words):
    with pytest.raises(NotAPath, match=words) as caught:
        open_file(value, TEXT)
    assert isinstance(caught.value, CaffeError) and isinstance(caught.value, TypeError)


def test_an_open_file_is_no_path():
    with (
        open(__file__, "rb") as file,
        pytest.raises(NotAPath, match="give the path, .*test_files.py"),
    ):
        open_file(file, TEXT)


def test_kinds_have_errors_of_this_package():
    kinds = [value for value in vars(files).values() if isinstance(value, Kind)]
    assert len(kinds) == 7
    for kind in kinds:
        with pytest.raises(CaffeError, match=kind.name):
            open_file("/nowhere", kind)


def test_special_files_are_not_opened_at_all(monkeypatch):
    """Some devices act when they are opened: a watchdog, a tape."""
    monkeypatch.setattr(os, "open", None)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(FileError, match="this is a device"):
        open_file("/dev/null", ANY)
