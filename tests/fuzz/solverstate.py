"""Damaged solver states: python -m tests.fuzz.solverstate [SEED [NUMBER]]

Sound .solverstate and .solverstate.h5 files are changed at random and restored, in child processes
of limited memory. Each restores or raises a CaffeError that names the file, within 20 seconds.
Anything else is printed, its input is written to the current folder as finding-solverstate-...,
and the exit status is 1.
"""

import contextlib
import io
import logging
import os
import random
import resource
import signal
import struct
import sys
import traceback
import zlib
from pathlib import Path

import h5py
import numpy as np

import caffe
from caffe.errors import CaffeError
from caffe.proto import caffe_pb2
from caffe.weights.wire import head
from tests.fuzz import targets

MEMORY, SECONDS, BATCH = int(6e9), 20, 1000
LARGEST = 20_000  # bytes
# weights of this name belong to the state: no other target may write such a file
STATE = "state.solverstate"
TEXT = """
net: "{net}" base_lr: 0.1 lr_policy: "multistep" gamma: 0.5 stepvalue: 2 stepvalue: 5
momentum: 0.9 type: "Adam" snapshot_prefix: "{folder}/snap" snapshot_format: {format}
"""
NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "fc" bottom: "fc" top: "loss" }
"""
EXTREME = [0, 1, 0x7F, 0x80, 0xFF, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]
REALS = [0.0, -1.0, 1.0, float("inf"), float("-inf"), float("nan"), 1e38, -1e38, 1e-45]
_solvers = {}


def solver(kind="BINARYPROTO"):
    """The solver that states are restored into, made once for each format."""
    if kind not in _solvers:
        net = targets.path_of(NET.encode(), "state-net.prototxt")
        text = TEXT.format(net=net, folder=targets.FOLDER, format=kind)
        _solvers[kind] = caffe.get_solver(targets.path_of(text.encode(), "solver.prototxt"))
        _solvers[kind].step(3)
    return _solvers[kind]


def seeds():
    """Sound files of both formats, as bytes: ours, Caffe's, and older ones."""
    state = Path(solver().snapshot()[1]).read_bytes()
    yield state
    message = caffe_pb2.SolverState.FromString(state)
    message.DiscardUnknownFields()
    yield message.SerializeToString()
    for blob in message.history:
        shape = [1] * (4 - len(blob.shape.dim)) + list(blob.shape.dim)
        blob.num, blob.channels, blob.height, blob.width = shape
        blob.double_data.extend(blob.data)
        blob.ClearField("shape")
        blob.ClearField("data")
    yield message.SerializeToString()
    path = solver("HDF5").snapshot()[1]
    yield Path(path).read_bytes()
    with h5py.File(path) as f:
        values = [f["history"][str(i)][...] for i in range(4)]
        name = f["learned_net"][()]
    for libver, packed in (("latest", {}), (None, dict(compression="gzip", shuffle=True))):
        other = os.path.join(targets.FOLDER, "seed.h5")
        with h5py.File(other, "w", libver=libver) as f:
            f["iter"], f["current_step"], f["learned_net"] = 3, 1, name
            for i, value in enumerate(values):
                f.create_dataset(f"history/{i}", data=value, **packed)
        yield Path(other).read_bytes()


def restore(content):
    """Restore bytes as a state of the format that they begin with; fail if that is wrong."""
    path = targets.path_of(content, STATE)
    mine = solver("HDF5" if content.startswith(b"\x89HDF") else "BINARYPROTO")
    before = mine.iter, [h.numpy().copy() for h in mine.history]
    try:
        mine.restore(path)
    except CaffeError as error:
        assert STATE in str(error), error
        assert mine.iter == before[0]
        for now, then in zip(mine.history, before[1], strict=True):
            assert np.array_equal(now.numpy(), then)
    assert 0 <= mine.iter < 2**31 - 1
    for history, blob in zip(mine.history, 2 * [w.blob for w in mine.net._learned], strict=True):
        assert tuple(history.shape) == blob.shape and bool(history.isfinite().all())


def _place(rng, content):
    return rng.randrange(len(content) + 1)


def _set_bytes(rng, content):
    for _ in range(rng.randint(1, 4)):
        at = _place(rng, content)
        content[at : at + 1] = bytes([rng.choice((rng.randrange(256), *EXTREME[:5]))])


def _flip_bit(rng, content):
    for _ in range(rng.randint(1, 3)):
        if content:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _set_number(rng, content):
    size, at = rng.choice((2, 4, 8)), _place(rng, content)
    number = rng.choice(EXTREME) % 2 ** (8 * size)
    content[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))


def _set_real(rng, content):
    at = _place(rng, content)
    real = rng.choice((float("nan"), float("inf"), -1.0, 1e300))
    layout = rng.choice("fd")
    content[at : at + struct.calcsize(layout)] = struct.pack(
        "<" + layout, real if layout == "d" or real < 1e38 or real != real else float("inf")
    )


def _cut(rng, content):
    at = _place(rng, content)
    del content[at : at + rng.choice((1, 2, 8, 64, len(content)))]


def _repeat(rng, content):
    at = _place(rng, content)
    part = bytes(content[at : at + rng.choice((1, 2, 8, 64, 512))])
    to = _place(rng, content)
    content[to:to] = part * rng.choice((1, 1, 2, 16))


def _add_field(rng, content):
    number = rng.choice((1, 2, 3, 4, 5, 100, 1001, 536870911))
    if rng.random() < 0.5:
        value = rng.choice(EXTREME)
        content += _varint(number << 3) + _varint(value)
    else:
        part = rng.randbytes(rng.choice((0, 1, 32, 100)))
        content += head(number, len(part)) + part


def _varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


CHANGES = _set_bytes, _flip_bit, _set_number, _set_real, _cut, _repeat, _add_field


def edited_message(rng, content):
    """A protobuf state with fields of other values, which is sound as a message."""
    state = caffe_pb2.SolverState.FromString(content)
    for _ in range(rng.randint(1, 3)):
        blob = rng.choice(state.history) if state.history else state.history.add()
        what = rng.randrange(9)
        if what == 0:
            state.iter = rng.choice((-1, 0, 5, 2**31 - 1, -(2**31)))
        elif what == 1:
            state.current_step = rng.choice((-1, 0, 1, 2**31 - 1))
        elif what == 2:
            state.learned_net = rng.choice(("", ".", "/", "/dev/zero", "x" * 5000, "a\0b"))
        elif what == 3:
            state.history.add().CopyFrom(blob)
        elif what == 4:
            del state.history[rng.randrange(len(state.history)) :]
        elif what == 5:
            blob.shape.dim.append(rng.choice((0, 1, -1, 2**62)))
        elif what == 6:
            blob.num = rng.choice((0, 1, -1, 2**31 - 1))
        elif what == 7 and blob.data:
            blob.data[rng.randrange(len(blob.data))] = rng.choice(REALS)
        else:
            blob.double_data.append(rng.choice(REALS))
    return state.SerializeToString()


def edited_hdf5(rng, content):
    """An HDF5 state with other members, which is sound as a file."""
    file = io.BytesIO(content)
    with h5py.File(file, "a") as f:
        for _ in range(rng.randint(1, 3)):
            name = rng.choice(("iter", "current_step", "learned_net", "history", "history/0"))
            name = rng.choice((name, name, "history/1", "history/-1", "learned_net_digest"))
            with contextlib.suppress(OSError, LookupError, RuntimeError, TypeError, ValueError):
                if name in f:  # an earlier edit may have led it elsewhere
                    del f[name]
                _add_member(rng, f, name)
    return file.getvalue()


def _add_member(rng, f, name):
    what = rng.randrange(8)
    if what == 0:
        f.create_group(name)
    elif what == 1:
        f[name] = h5py.SoftLink(rng.choice(("/", "/iter", name, "/history")))
    elif what == 2:
        f[name] = h5py.ExternalLink("/dev/zero", "x")
    elif what == 3:
        f[name] = h5py.Empty(rng.choice(("f4", "S1", "i4")))
    elif what == 4:
        f.create_dataset(
            name, (rng.choice((0, 1, 2**40)),), rng.choice(("f4", "i8", "S9", "S70000"))
        )
    elif what == 5:
        f.create_dataset(name, data=rng.choice(("text", b"\xff", True, 1j, -1, 2**63 - 1)))
    elif what == 6:
        kinds = ([("a", "i4")], h5py.special_dtype(vlen=np.float32), h5py.ref_dtype, "V8", "f2")
        f.create_dataset(name, rng.choice(((), (1,), (2, 3))), rng.choice(kinds))
    else:
        shape = rng.choice(((), (1,), (2,), (2, 3), (3, 2), (1, 1, 2, 3)))
        f.create_dataset(name, data=np.full(shape, rng.choice(REALS)))


def changed(rng, sound):
    """A sound file with one to four changes; HDF5 files mostly begin as such still."""
    content = bytearray(rng.choice(sound))
    start = bytes(content[:8])
    if rng.random() < 0.4:
        edited = edited_hdf5 if start.startswith(b"\x89HDF") else edited_message
        content = bytearray(edited(rng, bytes(content)))
        if rng.random() < 0.8:
            return bytes(content[:LARGEST])
    for _ in range(rng.randint(1, 4)):
        rng.choice(CHANGES)(rng, content)
    if start.startswith(b"\x89HDF") and rng.random() < 0.9:
        content[:8] = start
    return bytes(content[:LARGEST])


class TookTooLong(BaseException):
    """No CaffeError: nothing in the package may catch it."""


def _ring(*_):
    raise TookTooLong(f"more than {SECONDS} s")


def _batch(seed, number, note):
    """Restore `number` changed files; write each to `note` first. Return how many failed."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, _ring)
    rng, sound, failed = random.Random(seed), list(seeds()), 0
    for _ in range(number):
        content = changed(rng, sound)
        Path(note).write_bytes(content)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            restore(content)
        except (Exception, TookTooLong):
            failed += 1
            _keep(content, traceback.format_exc())
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return failed


def _keep(content, what):
    name = f"finding-solverstate-{zlib.crc32(content):08x}"
    Path(name).write_bytes(content)
    print(f"{name}: {what}", flush=True)


def main(seed=0, number=100_000):
    """Print what was found; the exit status."""
    seed, number, found = int(seed), int(number), 0
    note = os.path.join(targets.FOLDER, "last")
    logging.getLogger("caffe").setLevel(logging.ERROR)
    solver(), solver("HDF5")
    for first in range(0, number, BATCH):
        child = os.fork()
        if not child:
            code = 99
            try:
                code = min(_batch(f"{seed} {first}", min(BATCH, number - first), note), 90)
            finally:
                sys.stdout.flush()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if not 0 <= code <= 90:
            _keep(Path(note).read_bytes(), f"the process ended with {code}")
        found += code if 0 <= code <= 90 else 1
    print(f"{number} solver states, {found} findings")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
