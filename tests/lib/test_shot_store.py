import numpy as np
import pytest

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
