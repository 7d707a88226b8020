"""Any kind of bad MATLAB file raises a DatasetError that names it."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from scipy.io import savemat

from datasets.errors import DatasetError
from datasets.reading.matfile import open_mat


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "label.mat"
    savemat(
        path,
        {"segmentation": np.arange(600, dtype=np.uint16).reshape(20, 30) % 41},
        do_compression=True,
    )
    return path


def test_reads_the_array(path):
    assert open_mat(path, "segmentation")[1, :4].tolist() == [30, 31, 32, 33]


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "damaged"),
        (b"<html>not found</html>", "damaged"),
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n" * 9, "HDF5"),
    ],
)
def test_other_files_are_rejected(path, data, message):
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=f"label.mat: .*{message}"):
        open_mat(path, "segmentation")


def test_missing_file_and_key(path):
    with pytest.raises(DatasetError, match="label.mat: holds no 'depth' but 'segmentation'"):
        open_mat(path, "depth")
    path.unlink()
    with pytest.raises(DatasetError, match="label.mat: no such file"):
        open_mat(path, "segmentation")


def test_truncated_file_or_flipped_byte(path):
    whole = path.read_bytes()
    failed = 0
    for at in range(0, len(whole), 5):
        flipped = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        for damaged in (whole[:at], flipped):
            path.write_bytes(damaged)
            try:
                open_mat(path, "segmentation")
            except DatasetError as error:
                assert str(path) in str(error)
                failed += 1
    assert failed > len(whole) / 5  # flips in the text of the header are harmless


def sizes(path):
    """The file's label, or None; and the largest memory that reading took."""
    tracemalloc.start()
    try:
        return open_mat(path, "segmentation"), tracemalloc.get_traced_memory()[1]
    except DatasetError as error:
        assert path.name in str(error)
        return None, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def element(type_, body, order="<"):
    """An element of a file, filled up to 8 bytes."""
    return struct.pack(f"{order}II", type_, len(body)) + body + bytes(-len(body) % 8)


def array(class_, shape, *parts, name=b"segmentation", order="<"):
    """The body of a matrix."""
    head = [
        element(6, struct.pack(f"{order}II", class_, 0), order),
        element(5, struct.pack(f"{order}{len(shape)}i", *shape), order),
        element(1, name, order),
    ]
    return b"".join([*head, *parts])


def header(order="<"):
    return b"MATLAB 5.0".ljust(124) + (b"\0\1IM" if order == "<" else b"\1\0MI")


def packed(content):
    """The file of an element that is packed."""
    content = zlib.compress(content, 9)
    return header() + struct.pack("<II", 15, len(content)) + content


def test_every_changed_byte_of_a_file_that_is_not_packed(path):
    """SciPy's reader ends the process for some of these, such as type 0x14 in place of 2."""
    savemat(path, {"segmentation": np.arange(12, dtype=np.uint8).reshape(3, 4)})
    whole = path.read_bytes()
    for at in range(116, len(whole)):
        for value in (0, 1, 6, 0x0E, 0x14, 0x64, 0x7F, 0x80, 0xFF):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            try:
                label = open_mat(path, "segmentation")
            except DatasetError as error:
                assert "label.mat" in str(error)
            else:
                assert label.size == 12


def test_small_files_that_would_take_gigabytes(path):
    zeros = bytes(100_000_000)
    whole = element(14, array(6, (10_000, 10_000), element(2, zeros)))
    for content in (
        packed(whole),
        packed(bytes(50) + zeros),
        packed(whole[:64] + zeros),  # the name is there, the rest is not
        packed(element(14, array(9, (1 << 30, 1 << 30), element(2, b"")))),
        packed(element(14, array(1, (1 << 20, 1 << 10), bytes(1000)))),
        packed(element(14, array(4, (1 << 30, 1), element(16, b"")))),
    ):
        path.write_bytes(content)
        assert len(content) < 200_000
        label, memory = sizes(path)
        assert label is None and memory < 1.5e8
    path.write_bytes(header() + element(14, array(6, (0, 0), element(9, b""), name=b"a")) * 1001)
    with pytest.raises(DatasetError, match="more than 1000 variables"):
        open_mat(path, "b")


def test_deep_nesting(path):
    body = element(14, b"")
    for _ in range(20_000):
        body = element(14, array(1, (1, 1), name=b"") + body[:4000])
    path.write_bytes(header() + element(14, array(1, (1, 1), body)))
    with pytest.raises(DatasetError, match="label.mat: "):
        open_mat(path, "segmentation")
    inner = element(14, array(6, (1, 1), element(9, struct.pack("<d", 1)), name=b""))
    cell = element(14, array(1, (1, 1), inner, name=b""))
    path.write_bytes(header() + element(14, array(1, (1, 1), cell)))
    with pytest.raises(DatasetError, match="label.mat: a cell is a cell in a cell"):
        open_mat(path, "segmentation")


@pytest.mark.parametrize(
    "value, message",
    [
        ({"a": 1}, "is a struct"),
        (scipy.sparse.csc_array(np.eye(2)), "is a sparse matrix"),
        (np.array([1j]), "is of complex numbers"),
    ],
)
def test_other_kinds_of_arrays(path, value, message):
    savemat(path, {"segmentation": value})
    with pytest.raises(DatasetError, match=f"label.mat: 'segmentation' {message}"):
        open_mat(path, "segmentation")


def test_objects_and_functions_are_not_read(path):
    opaque = element(6, struct.pack("<II", 17, 0)) + element(1, b"segmentation") + bytes(64)
    for body, what in ((opaque, "an object"), (array(16, (1, 1), bytes(64)), "a function")):
        path.write_bytes(header() + element(14, body))
        with pytest.raises(DatasetError, match=f"'segmentation' is {what}"):
            open_mat(path, "segmentation")


def test_version_4(path):
    savemat(path, {"segmentation": np.eye(3)}, format="4")
    with pytest.raises(DatasetError, match="version 4; save it again with -v7"):
        open_mat(path, "segmentation")


def test_hdf5_of_other_writers(path):
    path.write_bytes(b"\x89HDF\r\n\x1a\n".ljust(600, b"\0"))
    with pytest.raises(DatasetError, match="HDF5 .MATLAB version 7.3.*-v7"):
        open_mat(path, "segmentation")


def test_big_endian(path):
    numbers = element(3, struct.pack(">6h", 1, 2, 3, 4, 5, -6), ">")
    path.write_bytes(header(">") + element(14, array(10, (2, 3), numbers, order=">"), ">"))
    label = open_mat(path, "segmentation")
    assert label.tolist() == [[1, 3, 5], [2, 4, -6]] and label.dtype == np.int16


@pytest.mark.parametrize("do_compression", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_reads_what_scipy_reads(path, seed, do_compression):
    draw = np.random.default_rng(seed)
    arrays = {"logical": draw.integers(0, 2, (3, 5)) > 0, "one": 7, "row": [1.5, -2]}
    for code in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"):
        shape = draw.integers(0, 6, draw.integers(2, 5))
        arrays[code] = (draw.random(shape) * 100).astype(code)
    arrays["text"] = "img_5001"
    arrays["texts"] = ["5001", "52", "img_3.png"]
    arrays["cells"] = np.empty((2, 3), object)
    arrays["cells"].ravel()[:] = [1, 2.5, "a", "img_é", np.eye(2), []]
    savemat(path, arrays, do_compression=do_compression)
    expected = scipy.io.loadmat(path)
    for name in arrays:
        assert_same(open_mat(path, name), expected[name])


def assert_same(mine, scipys):
    assert mine.shape == scipys.shape and mine.dtype == scipys.dtype
    if mine.dtype == object:
        for a, b in zip(mine.ravel(), scipys.ravel()):
            assert_same(a, b)
    else:
        assert np.array_equal(mine, scipys)
