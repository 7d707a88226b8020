import io
import os
import resource
import tracemalloc
import zipfile

import numpy as np
import pytest

from lib import shot_store
from lib.shot_store import DAMAGED, OTHER, load_shot, save_shot, shot_path

ARRAYS = {"argmax score": np.array([0.1, np.nan]), "relative data": np.arange(2.0)}


@pytest.fixture
def path(tmp_path):
    return shot_path(tmp_path / "store", "boat/0011/001")


def test_what_was_saved_is_loaded(path):
    assert load_shot(path, "me") == (None, "")
    save_shot(path, "me", ARRAYS)
    arrays, why = load_shot(path, "me")
    assert why == "" and list(arrays) == list(ARRAYS)
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], values)


def test_another_digest_is_refused(path):
    save_shot(path, "me", ARRAYS)
    assert load_shot(path, "you") == (None, OTHER)
    np.savez(path, a=np.zeros(1))
    assert load_shot(path, "me") == (None, OTHER)


def test_damaged_files_are_told_and_never_raise(path):
    save_shot(path, "me", ARRAYS)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(whole[: rng.integers(1, len(whole) + 1)])
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        arrays, why = load_shot(path, "me")
        assert why in (DAMAGED, OTHER) or list(arrays) == list(ARRAYS)
    for content in (b"", b"no archive", whole[:-30]):
        path.write_bytes(content)
        assert load_shot(path, "me") == (None, DAMAGED)
    with path.open("wb") as file:
        np.savez(file, **{"made by": np.array("me"), "x": np.array([print], object)})
    assert load_shot(path, "me") == (None, DAMAGED)  # it would need unpickling


def test_an_interrupted_save_leaves_what_was_there(path, monkeypatch):
    save_shot(path, "me", ARRAYS)

    def interrupted(file, **arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_shot(path, "me", {})
    assert list(load_shot(path, "me")[0]) == list(ARRAYS)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_shot_can_be_read_by_others_as_any_new_file_can(path):
    save_shot(path, "me", ARRAYS)
    other = path.with_name("other")
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode


def test_names_are_safe_and_never_share_a_file(tmp_path):
    names = ["a/b", "a_b", "a b", "a%2Fb", "..", "../a", "a\\b", "ä", "a:b*?"]
    paths = {shot_path(tmp_path, name) for name in names}
    assert len(paths) == len(names)
    assert all(path.parent == tmp_path and path.suffix == ".npz" for path in paths)


def test_names_as_long_as_one_likes(tmp_path):
    names = ["a" * 5000, "a" * 5001, "ä" * 250, "a" * 200]
    assert len({shot_path(tmp_path, name) for name in names}) == len(names)
    for name in names:
        path = shot_path(tmp_path, name)
        save_shot(path, name, ARRAYS)
        assert list(load_shot(path, name)[0]) == list(ARRAYS)


@pytest.mark.parametrize("where", range(20))
def test_a_kill_at_any_step_leaves_the_old_shot_or_the_new(path, where, killed_at):
    save_shot(path, "me", ARRAYS)
    finished = killed_at(where, lambda: save_shot(path, "me", {"x": np.arange(100.0)}))
    names = list(load_shot(path, "me")[0])
    assert names in ([["x"]] if finished else [list(ARRAYS), ["x"]])
    save_shot(path, "me", ARRAYS)
    assert list(load_shot(path, "me")[0]) == list(ARRAYS)


def test_a_full_disk_leaves_the_old_shot(path, in_child):
    save_shot(path, "me", ARRAYS)

    def fill():
        for room in (0, 1, 100, 800):
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
            with pytest.raises(OSError):
                save_shot(path, "me", {"x": np.arange(100.0)})

    assert in_child(fill) == 0
    assert list(load_shot(path, "me")[0]) == list(ARRAYS)
    assert os.listdir(path.parent) == [path.name]


def test_a_pipe_a_folder_and_a_device_are_damaged_shots(path):
    path.parent.mkdir()
    os.mkfifo(path)
    assert load_shot(path, "me") == (None, DAMAGED)  # and does not wait for a writer
    save_shot(path, "me", ARRAYS)
    assert list(load_shot(path, "me")[0]) == list(ARRAYS)
    path.unlink()
    path.mkdir()
    assert load_shot(path, "me") == (None, DAMAGED)
    path.rmdir()
    path.symlink_to("/dev/zero")
    assert load_shot(path, "me") == (None, DAMAGED)


def npy(shape, kind="<f8", values=b""):
    """Return the bytes of an array file whose header promises this."""
    file = io.BytesIO()
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + values


def write_entries(path, compression=zipfile.ZIP_STORED, **entries):
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("made by.npy", npy((), "<U2", "me".encode("utf-32-le")))
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)


@pytest.fixture
def little_memory(monkeypatch):
    """Make shots of 1 MB the largest; fail the test if to load one takes more than 8 MB."""

    def load_in_little(*args):
        tracemalloc.start()
        try:
            loaded = load(*args)
            assert tracemalloc.get_traced_memory()[1] < 2**23
        finally:
            tracemalloc.stop()
        return loaded

    load = load_shot
    monkeypatch.setattr(shot_store, "LARGEST", 2**20)
    monkeypatch.setitem(globals(), "load_shot", load_in_little)


@pytest.mark.parametrize(
    "content",
    [
        npy((10**12,)),
        npy((2**62, 2**62)),
        npy((-1,)),
        npy((10**15,), "|S0"),
        npy((2,), values=bytes(15)),
        npy((2,), values=bytes(17)),
        npy((1,), "|O", bytes(8)),
        b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
        b"\x93NUMPY\x03\x00",
        b"",
    ],
)
def test_headers_that_promise_what_is_not_there(path, content, little_memory):
    write_entries(path, x=content)
    assert load_shot(path, "me") == (None, DAMAGED)


def test_deflated_shots_are_read_and_bombs_are_not(path, little_memory):
    write_entries(path, zipfile.ZIP_DEFLATED, x=npy((9,), values=bytes(72)))
    assert load_shot(path, "me")[0]["x"].tolist() == [0] * 9
    large = npy((2**21,), values=bytes(2**24))
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        write_entries(path, compression, x=large)
        assert path.stat().st_size < 10**6 and load_shot(path, "me") == (None, DAMAGED)


def test_entries_that_understate_what_they_unpack_to(path, little_memory):
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        write_entries(path, compression, x=npy((2**21,), values=bytes(2**24)))
        content = bytearray(path.read_bytes())
        real = (2**24 + 128).to_bytes(4, "little")
        assert content.count(real) == 2  # in the entry and in the list of entries
        path.write_bytes(content.replace(real, (136).to_bytes(4, "little")))
        assert load_shot(path, "me") == (None, DAMAGED)


def test_files_larger_than_a_shot(path, little_memory):
    save_shot(path, "me", ARRAYS)
    with path.open("r+b") as file:
        file.truncate(10**12)
    assert load_shot(path, "me") == (None, DAMAGED)


def test_entries_without_number(path, little_memory):
    write_entries(path, **{str(i): b"" for i in range(25_000)})
    assert load_shot(path, "me") == (None, DAMAGED)


@pytest.mark.parametrize("made_by", [["me", "me"], [], [["me"]], 3, [b"me"]])
def test_digests_of_another_kind_are_others(path, made_by):
    path.parent.mkdir()
    with path.open("wb") as file:
        np.savez(file, **{"made by": np.array(made_by), "x": np.zeros(1)})
    assert load_shot(path, "me") == (None, OTHER)


def test_what_could_not_be_loaded_is_not_saved(path, monkeypatch):
    monkeypatch.setattr(shot_store, "LARGEST", 100)
    save_shot(path, "me", ARRAYS)
    for arrays, message in (
        ({"x": np.zeros(20)}, "0.0 MB"),
        ({"x": np.array([print], object)}, "'x' of Python objects"),
    ):
        with pytest.raises(ValueError, match=message):
            save_shot(path, "me", arrays)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (2, 3, 4)])
def test_arrays_of_any_shape_come_back_and_can_be_written(path, shape, order):
    values = np.asarray(np.random.default_rng(0).normal(size=shape), order=order)
    save_shot(path, "me", {"x": values})
    back = load_shot(path, "me")[0]["x"]
    np.testing.assert_array_equal(back, values)
    assert back.dtype == values.dtype and back.flags.writeable
