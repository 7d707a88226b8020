"""RowFile: after a kill at any line, or where the disk is full at any byte, readers find an
ordinary file with all rows that were acknowledged, and as many labels."""

import os
import sys

import h5py
import numpy as np
import pytest

from caffe.errors import WeightsError
from caffe.layer_types.data import hdf5_append
from caffe.layer_types.data.hdf5_append import RowFile
from tests.caffe.children import in_child, limit_files

SHAPES = {"data": (2, 3), "label": (2,)}
BATCH = 3


def rows(start, count=BATCH, shapes=SHAPES):
    """Rows that begin with number `start`: each value is the number of its row plus its place."""
    number = np.arange(start, start + count, dtype=np.float32)
    return {
        name: number.reshape(-1, *[1] * len(shape)) + np.arange(np.prod(shape)).reshape(shape) / 64
        for name, shape in shapes.items()
    }


def check(path, least, most=None, shapes=SHAPES):
    """Check that the file has between `least` and `most` rows, and that they are right."""
    with h5py.File(path, "r") as f:
        assert set(f) == set(shapes)
        count = len(f["data"])
        assert least <= count <= (least if most is None else most)
        for name, wanted in rows(0, count, shapes).items():
            assert f[name].dtype == np.float32
            np.testing.assert_array_equal(f[name], wanted)


@pytest.fixture
def small_hole(monkeypatch):
    """Files with a hole for one row, so that they are replaced early and often."""
    monkeypatch.setattr(hdf5_append, "HOLE", 8)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "out.h5")


@pytest.mark.parametrize("hole", [1, 50, 2**16])
@pytest.mark.parametrize(
    "data, label",
    [((2, 3), (2,)), ((), (4, 5)), ((3,), (3,)), ((0, 2), ()), ((1,) * 31, (1,) * 31)],
)
def test_rows_of_batches_of_any_size(path, monkeypatch, hole, data, label):
    monkeypatch.setattr(hdf5_append, "HOLE", hole)
    shapes, done = {"data": data, "label": label}, 0
    file = RowFile(path, shapes)
    for count in (3, 1, 0, 2, 20, 1, 7):
        file.append(rows(done, count, shapes))
        done += count
        check(path, done, shapes=shapes)
    assert os.listdir(os.path.dirname(path)) == ["out.h5"]


def test_no_rows(path):
    RowFile(path, SHAPES).append(rows(0, 0))
    check(path, 0)


def test_the_library_can_go_on_with_the_file(path):
    """It is ordinary HDF5: what is added by others does not harm the rows, and they the rest."""
    file = RowFile(path, SHAPES)
    for start in (0, 3):
        file.append(rows(start))
    with h5py.File(path, "r+") as f:
        f["more"] = np.arange(5000)
        f["data"].attrs["source"] = "somewhere"
    with h5py.File(path, "r") as f:
        np.testing.assert_array_equal(f["more"], np.arange(5000))
        np.testing.assert_array_equal(f["data"], rows(0, 6)["data"])
    with pytest.raises(ValueError, match="changed since the last batch"):
        file.append(rows(6))


def test_two_writers_of_one_path(path):
    first, second = RowFile(path, SHAPES), RowFile(path, SHAPES)
    first.append(rows(0, 5))
    second.append(rows(0, 2))
    with pytest.raises(ValueError, match="a file of its own"):
        first.append(rows(5))
    second.append(rows(2))
    check(path, 5)
    with pytest.raises(ValueError, match="a file of its own"):
        first.append(rows(5))
    os.remove(path)
    with pytest.raises(FileNotFoundError):
        second.append(rows(5))


def test_a_link_is_written_through(path, tmp_path):
    (tmp_path / "link.h5").symlink_to(path)
    file = RowFile(str(tmp_path / "link.h5"), SHAPES)
    for start in (0, 3):
        file.append(rows(start))
    check(path, 6)
    assert os.path.islink(tmp_path / "link.h5")


def test_a_pipe_stays_what_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WeightsError, match="pipe.*is not a file"):
        RowFile(str(tmp_path / "pipe"), SHAPES).append(rows(0))
    assert not os.path.isfile(tmp_path / "pipe")


def test_space_between_the_rows_takes_no_disk(path):
    file = RowFile(path, {"data": (1000,), "label": (1000,)})
    for start in range(0, 60, 20):
        file.append(rows(start, 20, file.shapes))
    assert os.stat(path).st_blocks * 512 <= 60 * 2 * 4000 + 3 * 4096


def killed_at_line(k, work):
    """Return a function that works until the k-th line of the modules that write."""
    left = k

    def trace(frame, event, argument):
        nonlocal left
        if not frame.f_code.co_filename.endswith(("hdf5_append.py", "write_whole.py")):
            return None
        if event == "line":
            left -= 1
            if not left:
                os._exit(77)
        return trace

    def function(acknowledge):
        sys.settrace(trace)
        work(acknowledge)

    return function


def append_batches(path, number):
    def work(acknowledge):
        file = RowFile(path, SHAPES)
        for i in range(number):
            file.append(rows(i * BATCH))
            acknowledge((i + 1) * BATCH)

    return work


@pytest.mark.parametrize("step", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_any_line(path, small_hole, step):
    old = RowFile(path, SHAPES)
    old.append(rows(0, 9))
    before, k, status = open(path, "rb").read(), 1, 77
    while status:
        status, done = in_child(killed_at_line(k, append_batches(path, 5)))
        assert status in (0, 77)
        if done:
            check(path, done, done + BATCH)
        else:
            with open(path, "rb") as f:
                content = f.read()
            if content != before:  # the first batch was there, and not yet acknowledged
                check(path, BATCH)
        for name in os.listdir(os.path.dirname(path)):  # what was left is locked no more
            os.remove(os.path.join(os.path.dirname(path), name))
        with open(path, "wb") as f:
            f.write(before)
        k += step
    assert k > 300


@pytest.mark.parametrize("step", [307, pytest.param(7, marks=pytest.mark.slow)])
def test_a_disk_that_is_full_at_any_byte(path, small_hole, step):
    """A file may not be larger than the limit: what is written beyond it fails, after a part."""

    def limited(limit):
        def function(acknowledge):
            limit_files(limit)
            file, done = RowFile(path, SHAPES), 0
            for i in range(9):
                try:
                    file.append(rows(i * BATCH))
                except (WeightsError, OSError):
                    break
                acknowledge(done := done + BATCH)
            if done == 9 * BATCH:
                return
            if done:
                check(path, done)
            limit_files(2**40)
            for i in range(done // BATCH, 9):  # there is room again
                file.append(rows(i * BATCH))

        return function

    for limit in range(0, 4096 + 9 * BATCH * 32 + 200, step):
        if os.path.exists(path):
            os.remove(path)
        status, _ = in_child(limited(limit))
        assert status == 0, limit
        check(path, 9 * BATCH)
        assert os.listdir(os.path.dirname(path)) == ["out.h5"]


def test_an_interrupt_at_any_line(path, small_hole):
    """Rows of the batch that was interrupted are all there or not, and the next go on."""
    for k in range(1, 400, 7):
        left, done, file = k, 0, RowFile(path, SHAPES)

        def trace(frame, event, argument):
            nonlocal left
            if not frame.f_code.co_filename.endswith(("hdf5_append.py", "write_whole.py")):
                return None
            if event == "line":
                left -= 1
                if not left:
                    raise KeyboardInterrupt
            return trace

        while done < 4 * BATCH:
            tracing = sys.gettrace()
            sys.settrace(trace)
            try:
                file.append(rows(done))
            except KeyboardInterrupt:
                sys.settrace(tracing)
                if file._state:  # else it begins anew
                    with h5py.File(path, "r") as f:
                        written = len(f["data"])
                        assert written in (done, done + BATCH)
                        done = written
            else:
                sys.settrace(tracing)
                done += BATCH
            if file._state or done:
                check(path, done)
        os.remove(path)
