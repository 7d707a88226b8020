"""What torch.load may be given: no compressed records, no pickle that takes memory by a number."""

import io
import pickle
import resource
import struct
import zipfile

import pytest
import torch

from caffe.errors import WeightsError
from caffe.weights import torch_file
from caffe.weights.state_dict import read
from tests.caffe.children import in_child

FOUR_BILLION = b"\x8a\x05" + (4_000_000_000).to_bytes(5, "little")


def call(name, argument=FOUR_BILLION, protocol=2):
    """A pickle that calls a function with a number."""
    module, _, function = name.rpartition(".")
    if protocol == 2:
        found = f"c{module}\n{function}\n".encode()
    else:  # the names are on the stack
        found = b"".join(bytes([0x8C, len(n)]) + n.encode() for n in (module, function)) + b"\x93"
    return b"\x80" + bytes([protocol]) + found + b"(" + argument + b"tR."


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "w.pth")


@pytest.fixture
def archive(path):
    """archive(change, compression): a file of torch.save with records changed by name."""

    def archive(change=None, compression=zipfile.ZIP_STORED):
        whole = io.BytesIO()
        torch.save({"w": torch.arange(3.0), "b": torch.ones(2).half()}, whole)
        with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", compression) as new:
            for name in old.namelist():
                content = (change or {}).get(name.partition("/")[2], old.read(name))
                new.writestr(name, content)
        return path

    return archive


@pytest.mark.parametrize("new", [True, False])
def test_what_torch_writes(path, new):
    given = {"w": torch.arange(3.0), "p": torch.nn.Parameter(torch.ones(2).double())}
    torch.save(given, path, _use_new_zipfile_serialization=new)
    found = read(path)
    assert found["w"].tolist() == [0, 1, 2] and found["p"].tolist() == [1, 1]
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    state = dict(model=module.state_dict(), optimizer={"lr": 0.1, "steps": [1, 2]}, epoch=3)
    torch.save(state, path, _use_new_zipfile_serialization=new)
    assert list(read(path)["model"]) == list(module.state_dict())


def test_a_sound_archive(archive):
    assert read(archive())["w"].tolist() == [0, 1, 2]


def test_compressed_records(archive):
    with pytest.raises(WeightsError, match="w.pth: its record 'archive/data.pkl' is compressed"):
        read(archive(compression=zipfile.ZIP_DEFLATED))


def test_a_small_file_takes_no_memory(archive):
    """A record of 600 MB in 600 KB."""
    file = archive({"data/0": bytes(600_000_000)}, zipfile.ZIP_DEFLATED)

    def refused(acknowledge):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(WeightsError, match="compressed"):
            read(file)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KB

    assert in_child(refused) == (0, 0)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    "name",
    ["builtins.bytearray", "torch.Tensor", "torch.storage.UntypedStorage", "torch.HalfTensor"],
)
def test_calls_that_take_memory(archive, path, name, protocol):
    with pytest.raises(WeightsError, match="w.pth"):
        read(archive({"data.pkl": call(name, protocol=protocol)}))
    old = [pickle.dumps(n, 2) for n in (0x1950A86A20F9469CFC6C, 1001, {})]
    with open(path, "wb") as f:
        f.write(b"".join([*old, call(name, protocol=protocol), pickle.dumps([], 2)]))
    with pytest.raises(WeightsError, match="w.pth"):
        read(path)


def test_they_are_refused_before_they_are_called(archive):
    with open(archive({"data.pkl": call("builtins.bytearray")}), "rb") as file:
        with pytest.raises(torch_file.TooMuch, match="holds builtins bytearray, not only tensors"):
            torch_file.check(file)


def test_a_long_pickle(archive):
    with pytest.raises(WeightsError, match="w.pth: its data.pkl has more than"):
        read(archive({"data.pkl": b"}" * (torch_file.MOST_PICKLE + 1)}))


def test_a_long_directory(archive, path):
    """By the number at its end, before anything is read."""
    with open(archive(), "r+b") as f:
        f.seek(-10, 2)
        f.write(struct.pack("<L", torch_file.MOST_DIRECTORY + 1))
    with pytest.raises(WeightsError, match="w.pth: its directory has 16777217 bytes"):
        read(path)


def test_records_that_overlap(archive, path):
    """All entries of the directory name one record, which would be read again and again."""
    content = bytearray(open(archive({"data/0": bytes(9000)}), "rb").read())
    at, entries, largest = content.find(b"PK\1\2"), [], None
    while content[at : at + 4] == b"PK\1\2":
        entries.append(at)
        name, extra, comment = struct.unpack_from("<3H", content, at + 28)
        if content[at + 46 : at + 46 + name].endswith(b"data/0"):
            largest = content[at + 16 : at + 28]  # checksum and sizes
        at += 46 + name + extra + comment
    for entry in entries:
        content[entry + 16 : entry + 28] = largest
    with open(path, "wb") as f:
        f.write(content)
    with pytest.raises(WeightsError, match="w.pth: its records overlap"):
        read(path)


@pytest.mark.parametrize("cut", [3, 30, 200, 700])
def test_a_file_cut_short(archive, path, cut):
    content = open(archive(), "rb").read()
    for damaged in (content[:cut], content[:-cut], content[cut:]):
        with open(path, "wb") as f:
            f.write(damaged)
        with pytest.raises(WeightsError, match="w.pth is not a"):
            read(path)
