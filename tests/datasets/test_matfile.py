"""Any kind of bad MATLAB file raises a DatasetError that names it."""

import numpy as np
import pytest
from scipy.io import savemat

from datasets.errors import DatasetError
from datasets.matfile import open_mat


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
