"""Every reader takes regular files of bounded size only: no pipe, device, folder, or gigabytes."""

import ast
import os
import re
import signal
import socket
import tracemalloc

import pytest

from datasets.camvid import camvid
from datasets.check import main as check
from datasets.cityscapes import cityscapes
from datasets.davis import arrange
from datasets.errors import DatasetError
from datasets.files import image_size, open_image, open_label, open_rgb, read_lines, read_names
from datasets.miniature import miniature
from datasets.nyud_files import read_ids
from datasets.nyud_seg import nyud
from datasets.pascal_voc import pascal
from datasets.reading import gate
from datasets.reading.matfile import open_mat
from datasets.youtube import youtube

READERS = {
    "image": open_image,
    "rgb": open_rgb,
    "size": image_size,
    "label": lambda path: open_label(path, 21),
    "lines": lambda path: read_lines(path, "hint"),
    "names": lambda path: read_names(path, "hint"),
    "mat": lambda path: open_mat(path, "segmentation"),
    "ids": lambda path: read_ids(path.parent, path.stem),
}
LONG = "x" * 5000


@pytest.fixture(autouse=True)
def no_hang():
    """Raise in a test that waits for ever."""

    def stop(*args):
        raise TimeoutError("a reader hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def bind(path):
    socket.socket(socket.AF_UNIX).bind(str(path))


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize(
    "make, message",
    [
        (os.mkfifo, r"no such .*\(there is a named pipe of this name\)"),
        (os.mkdir, r"no such .*\(there is a folder of this name\)"),
        (lambda path: os.symlink("/dev/zero", path), r"no such .*\(there is a device of this name"),
        (lambda path: os.symlink(path.name, path), "cannot be read.*symbolic links"),
        (lambda path: os.symlink("nowhere", path), "no such"),
        (lambda path: path.touch(), "empty"),
        (lambda path: None, "no such"),
    ],
)
def test_what_is_no_file(tmp_path, read, make, message):
    path = tmp_path / "some.txt"
    make(path)
    with pytest.raises(DatasetError, match=f"some.txt: .*{message}"):
        read(path)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_socket(read, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    bind("some.txt")
    with pytest.raises(DatasetError, match="a socket of this name"):
        read(tmp_path / "some.txt")


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_files_of_gigabytes_are_not_read(tmp_path, read):
    path = tmp_path / "some.txt"
    with path.open("wb") as file:
        file.truncate(3 << 30)
    tracemalloc.start()
    with pytest.raises(DatasetError, match="some.txt: has 3,221,225,472 bytes, but a .* at most"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("name", [LONG, "/".join([LONG[:200]] * 30), "a\0b"])
def test_names_that_no_file_can_have(tmp_path, read, name):
    with pytest.raises(DatasetError) as error:
        read(tmp_path / f"{name}.txt")
    assert len(str(error.value)) < 1000


def test_a_pipe_that_takes_the_place_of_a_file(tmp_path, monkeypatch):
    path = tmp_path / "some.txt"
    path.write_text("a\n")
    found = os.stat(path)
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(gate, "_look", lambda path: found)
    with pytest.raises(DatasetError, match="a named pipe of this name"):
        read_lines(path, "hint")


def test_long_message_shows_both_ends():
    text = gate.show("/begin/" + LONG + "/end.png")
    assert re.fullmatch(r"/begin/x+\.\.\.x+/end\.png \(5015 characters\)", text)
    assert gate.show("/short") == "/short"


CLASSES = [camvid, cityscapes, nyud, pascal, youtube]


@pytest.mark.parametrize("dataset", CLASSES)
@pytest.mark.parametrize("name", [LONG, "/dev/zero", "pipe"])
def test_roots_that_are_no_folder(tmp_path, dataset, name):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DatasetError):
        dataset(tmp_path / name)


@pytest.mark.parametrize("name", [LONG, "pipe/root", "pipe"])
def test_commands_on_what_is_no_folder(tmp_path, name, capsys):
    os.mkfifo(tmp_path / "pipe")
    assert check([str(tmp_path / name)]) == 2
    with pytest.raises(DatasetError):
        miniature("voc", tmp_path / name)
    with pytest.raises(DatasetError):
        arrange(tmp_path / name, tmp_path / "new")
    (tmp_path / "JPEGImages").mkdir()
    with pytest.raises(DatasetError):
        arrange(tmp_path, tmp_path / name)


def test_a_label_that_is_a_pipe_is_not_a_frame_without_label(tmp_path):
    for package, name in (("gtFine", "gtFine_labelIds"), ("leftImg8bit", "leftImg8bit")):
        (tmp_path / package / "val" / "a").mkdir(parents=True)
        os.mkfifo(tmp_path / package / "val" / "a" / f"a_000000_000001_{name}.png")
    (clip,) = cityscapes(tmp_path).clips("val", length=1)
    for read in (clip.image, clip.label):
        with pytest.raises(DatasetError, match="named pipe"):
            read(0)


@pytest.mark.parametrize(
    "text, message",
    [
        ("ok\n../../secret\n", r"line 2: '../../secret' leads out of the folder"),
        ("/etc/passwd", r"line 1: '/etc/passwd' leads out"),
        ("a\\..\\b", r"line 1: .* leads out"),
        ("a\0b", r"line 1: .* leads out"),
        (LONG, r"line 1: a name of 5000 characters"),
    ],
)
def test_lists_name_what_is_in_the_dataset(tmp_path, text, message):
    path = tmp_path / "val.txt"
    path.write_text(text)
    with pytest.raises(DatasetError, match=f"val.txt, {message}"):
        read_names(path, "hint")
    path.write_text("a..b\n2007_000001\nkitchen_1/r-1.5-2.ppm\n")
    assert len(read_names(path, "hint")) == 3


# What opens a file or lists a folder other than through the gate, and where it may: folders and
# programs of ours, and images, which come from bytes.
OPENERS = {
    "open": {"gate.py", "files.py", "lock.py"},
    "iterdir": set(),
    "glob": {"miniature.py"},
    "rglob": set(),
    "read_text": set(),
    "read_bytes": {"miniature.py"},
    "is_file": set(),
    "is_dir": {"miniature.py"},
    "listdir": {"gate.py", "miniature.py", "replace.py"},
    "scandir": set(),
    "walk": {"miniature.py"},
    "load": {"files.py"},  # of an image that is open
    "loadmat": set(),
    "fromfile": set(),
    "loadtxt": set(),
    "genfromtxt": set(),
    "memmap": set(),
}


@pytest.mark.parametrize("name", OPENERS)
def test_all_readers_go_through_the_gate(root, name):
    users = set()
    for path in (root / "datasets").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            function = node.func if isinstance(node, ast.Call) else None
            if name in (getattr(function, "attr", None), getattr(function, "id", None)):
                users.add(path.name)
    assert users <= OPENERS[name]


def test_pillow_is_told_its_formats(root):
    calls = [
        node
        for path in (root / "datasets").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open"
    ]
    assert len(calls) == 1 and "formats" in [keyword.arg for keyword in calls[0].keywords]


def test_hidden_files_are_left_out_of_lists(tmp_path):
    (tmp_path / "._a").touch()  # as of macOS
    (tmp_path / "b").mkdir()
    (tmp_path / "a").touch()
    assert gate.list_names(tmp_path) == ["a", "b"] and gate.list_folders(tmp_path) == ["b"]
