"""Snapshots that end midway: the files of the last whole one are found, and never mixed."""

import hashlib
import logging
import os
import resource
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest
from google.protobuf.unknown_fields import UnknownFieldSet

from caffe.errors import CaffeError, WeightsError
from caffe.proto import caffe_pb2
from tests.caffe.training.small_solver import BASE, weights

ADAM = 'type: "Adam" momentum: 0.9 '  # its state is larger than its weights
CALLS = ("replace", "fsync", "link", "open", "remove")  # of the module os


def content(solver):
    """All that a snapshot holds: iteration, weights and history."""
    return [
        np.array(solver.iter),
        *weights(solver.net),
        *(h.numpy().copy() for h in solver.history),
    ]


def same(mine, theirs):
    return all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))


@pytest.fixture(params=["BINARYPROTO", "HDF5"])
def runs(request, make_solver, tmp_path):
    """Two runs with one snapshot_prefix at the same iteration, and a solver to restore into."""
    text = f"{ADAM} snapshot_format: {request.param} "
    older, newer, other = (make_solver(BASE + text) for _ in range(3))
    older.step(2)
    for blobs in newer.net.params.values():
        blobs[0].data[...] += 1
    newer.step(2)
    assert not same(content(older), content(newer))
    return older, newer, other


def run_child(run):
    """Run in a forked process; return its exit code, 3 for a CaffeError, negative for a signal."""
    child = os.fork()
    if not child:
        code = 5
        try:
            run()
            code = 0
        except CaffeError:
            code = 3
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def dying(number, after):
    """Let the process end before, or after, its call number `number` of one of CALLS."""
    left = [number]

    def wrapped(real):
        def call(*args, **kwargs):
            left[0] -= 1
            if left[0] == 0 and not after:
                os._exit(9)
            try:
                return real(*args, **kwargs)
            finally:  # the call may raise, as remove does for what is not there
                if left[0] == 0 and after:
                    os._exit(9)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(getattr(os, name)))


def check(runs, state, ended_well):
    """The state restores as all of the one run, or all of the other."""
    older, newer, other = runs
    other.restore(state)
    assert same(content(other), content(newer)) or (
        not ended_well and same(content(other), content(older))
    )


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call(runs, tmp_path, after):
    older, newer, _ = runs
    for number in range(1, 100):
        for path in tmp_path.glob("snap*"):
            path.unlink()
        state = older.snapshot()[1]

        def run(number=number):
            dying(number, after)
            newer.snapshot()

        code = run_child(run)
        assert code in (0, 9)
        check(runs, state, code == 0)
        if code == 9:
            assert newer.snapshot()[1] == state  # the next run goes on
            check(runs, state, True)
            assert not list(tmp_path.glob("*.old"))
        else:
            break
    assert 8 < number < 40


@pytest.mark.parametrize("after", [False, True])
def test_killed_twice_at_any_call(runs, tmp_path, after):
    """The older run's weights are kept until a newer run has written both files."""
    older, newer, _ = runs
    state = older.snapshot()[1]
    for number in range(1, 100):

        def run(number=number):
            dying(number, after)
            newer.snapshot()

        code = run_child(run)
        check(runs, state, code == 0)
        if code == 0:
            break
    assert code == 0


def test_what_a_killed_run_left_is_removed(runs, tmp_path):
    older, newer, _ = runs
    model, state = older.snapshot()

    def run():
        dying(6, False)
        newer.snapshot()

    assert run_child(run) == 9
    left = list(tmp_path.glob("snap*.new*"))
    assert left
    older.snapshot()
    assert sorted(tmp_path.glob("snap*.new*")) == sorted(left)  # the writer may be another machine
    for path in left:
        os.utime(path, (0, 0))
    mine = tmp_path / f"{os.path.basename(model)}.new{os.getpid()}-1"  # of a process that runs
    mine.write_bytes(b"x")
    os.utime(mine, (0, 0))
    older.snapshot()
    assert list(tmp_path.glob("snap*.new*")) == [mine]


@pytest.mark.parametrize("killed", [False, True])
def test_no_file_grows_beyond_a_limit(runs, tmp_path, killed):
    """Each size of a file is the last that fits: the write fails, or ends the process."""
    older, newer, _ = runs
    model, state = older.snapshot()
    proto = state.endswith("state")
    largest = max(os.path.getsize(model), os.path.getsize(state))
    codes = set()
    for limit in [*range(0, largest + 1, 61 if proto else 997), largest, largest + 1]:

        def run(limit=limit):
            if killed:
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            logging.disable()  # stderr may be a file, too
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            newer.snapshot()

        code = run_child(run)
        codes.add(code)
        check(runs, state, code == 0)
        if code == 0:
            older.snapshot()
        elif proto and not killed:
            assert sorted(p.name for p in tmp_path.glob("snap*")) == [
                "snap_iter_2.caffemodel",
                "snap_iter_2.solverstate",
            ]
    assert 0 in codes and (not proto or codes == {0, -signal.SIGXFSZ if killed else 3})


def test_a_first_snapshot_that_is_killed_leaves_no_state(runs, tmp_path):
    _, newer, other = runs
    for number in range(1, 100):
        for path in tmp_path.glob("snap*"):
            path.unlink()

        def run(number=number):
            dying(number, False)
            newer.snapshot()

        code = run_child(run)
        states = [p for p in tmp_path.glob("*.solverstate*") if ".new" not in p.name]
        if states:
            other.restore(states[0])
            assert same(content(other), content(newer))
        if code == 0:
            break
    assert states


def test_weights_of_another_run_are_not_restored(runs, tmp_path):
    """As copied files, or a run of an older version, may leave them."""
    older, newer, other = runs
    model, state = older.snapshot()
    kept = open(state, "rb").read()
    newer.snapshot()
    with open(state, "wb") as f:
        f.write(kept)
    before = content(other)
    with pytest.raises(WeightsError, match="not the weights file that this state was written with"):
        other.restore(state)
    assert same(content(other), before)
    os.remove(model)
    with pytest.raises(WeightsError, match=os.path.basename(model)):
        other.restore(state)


def test_states_of_a_real_caffe_hold_no_digest(make_solver, tmp_path):
    solver, other = make_solver(BASE), make_solver(BASE)
    solver.step(2)
    model, state = solver.snapshot()
    message = caffe_pb2.SolverState.FromString(open(state, "rb").read())
    message.DiscardUnknownFields()
    content_of_caffe = message.SerializeToString()
    assert content_of_caffe != open(state, "rb").read()
    with open(state, "wb") as f:
        f.write(content_of_caffe)
    other.restore(state)
    assert same(content(other), content(solver))
    with open(model + ".old", "wb") as f:  # which of the two is meant cannot be known
        f.write(b"x")
    with pytest.raises(WeightsError, match="remove the one that is not meant"):
        other.restore(state)


def test_a_real_caffe_reads_the_state(runs):
    """Its message has fields 1 to 4; what it does not know it skips."""
    older, _, _ = runs
    state = older.snapshot()[1]
    if state.endswith(".h5"):
        return
    known = caffe_pb2.SolverState.FromString(open(state, "rb").read())
    assert known.IsInitialized() and known.iter == 2 and len(known.history) == 8
    assert known.learned_net.endswith("snap_iter_2.caffemodel")


def test_weights_in_a_folder_whose_name_is_not_utf8(make_solver, tmp_path, caplog):
    folder = os.path.join(os.fsencode(tmp_path), b"caf\xe9")
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    solver, other = make_solver(BASE), make_solver(BASE)
    solver.step(1)
    solver.path = os.path.join(os.fsdecode(folder), "own.prototxt")
    solver.param.ClearField("snapshot_prefix")
    model, state = solver.snapshot()
    assert os.fsencode(model) == folder + b"/own_iter_1.caffemodel"
    other.restore(state)
    assert same(content(other), content(solver))
    assert len(caplog.messages) == 2
    for message in caplog.messages:  # a log file, or a pipe, takes UTF-8 only
        message.encode()
        assert r"caf\udce9" in message


def test_two_threads_that_write_one_snapshot(make_solver):
    solver, other = make_solver(BASE), make_solver(BASE)
    solver.step(1)
    with ThreadPoolExecutor(4) as pool:
        pairs = {f.result() for f in [pool.submit(solver.snapshot) for _ in range(20)]}
    ((_, state),) = pairs
    other.restore(state)
    assert same(content(other), content(solver))


def test_where_the_digest_is_stored(make_solver):
    """Snapshots of earlier versions hold it there: field 1001, and a dataset of this name."""
    model, state = make_solver(BASE).snapshot()
    wanted = hashlib.blake2b(Path(model).read_bytes(), digest_size=16).hexdigest().encode()
    fields = UnknownFieldSet(caffe_pb2.SolverState.FromString(Path(state).read_bytes()))
    assert [(f.field_number, f.data) for f in fields] == [(1001, wanted)]
    model, state = make_solver(BASE + "snapshot_format: HDF5").snapshot()
    wanted = hashlib.blake2b(Path(model).read_bytes(), digest_size=16).hexdigest().encode()
    with h5py.File(state) as f:
        assert f["learned_net_digest"][()] == wanted


def test_weights_kept_by_a_run_that_ended_late(runs, monkeypatch):
    """Weights that a run kept, and had no time to remove, are not taken for those of the state."""
    older, newer, other = runs
    model, state = older.snapshot()
    oldest = Path(model).read_bytes()
    newer.snapshot()
    Path(model + ".old").write_bytes(oldest)
    replace = os.replace

    def ending(source, target):
        if target == state:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", ending)
    with pytest.raises(KeyboardInterrupt):
        older.snapshot()
    monkeypatch.undo()
    other.restore(state)
    assert same(content(other), content(newer))
