"""Check a file of torch.save before torch.load reads it: how much memory it may take, and what for.

torch.load with weights_only runs no code of the file. But it inflates what is deflated, and calls
what it allows, such as bytearray, with any number. So a small file could take all memory.

A file is a ZIP archive of a pickle, data.pkl, and a record of bytes for each storage, none of them
compressed; or, before PyTorch 1.6, five pickles that the storages follow.
Source: torch/serialization.py.
"""

import os
import pickletools
import struct
import zipfile
from typing import BinaryIO

ZIP = b"PK\x03\x04"
END, LOCATOR, END64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sLQL"), struct.Struct("<40xQ8x")
MOST_DIRECTORY = 2**24  # bytes; about a hundred for a record
MOST_PICKLE = 2**23  # bytes; about 200 for a tensor, and what they make takes up to 200 times that
OLD_PICKLES = 5  # magic number, version, system, the object, and the keys of its storages
# What the reader of torch calls with a number of bytes that the file need not have.
TAKES_MEMORY = ("bytearray", "Tensor", "UntypedStorage", "TypedStorage")


class TooMuch(ValueError):
    """The file may be valid, but is not safe to read."""


def check(file: BinaryIO) -> None:
    """Check a file that torch.load will read.

    Parameters
    ----------
    file : binary file object
        Seekable; it is left at its start.

    Raises
    ------
    TooMuch
        If reading may take much more memory than the file has bytes.
    zipfile.BadZipFile, ValueError and others
        If it is damaged.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(len(ZIP)) == ZIP:
        _check_archive(file, size)
    else:
        file.seek(0)
        for _ in range(OLD_PICKLES):
            _check_pickle(file, MOST_PICKLE)
    file.seek(0)


def _check_archive(file, size):
    """Check directory, records and pickle of an archive."""
    if (length := _directory_length(file, size)) > MOST_DIRECTORY:
        raise TooMuch(f"its directory has {length} bytes, {MOST_DIRECTORY} are the most")
    with zipfile.ZipFile(file) as archive:
        records = archive.infolist()
        for record in records:
            if (
                record.compress_type != zipfile.ZIP_STORED
                or record.compress_size != record.file_size
            ):
                raise TooMuch(
                    f"its record {record.filename!r} is compressed, which torch.save never does: "
                    "load it and torch.save it again where you trust it"
                )
        if sum(record.file_size for record in records) > size:
            raise TooMuch("its records overlap")
        for record in records:
            if record.filename.endswith("data.pkl"):
                if record.file_size > MOST_PICKLE:
                    raise TooMuch(f"its data.pkl has more than {MOST_PICKLE} bytes")
                with archive.open(record) as pickled:
                    _check_pickle(pickled, MOST_PICKLE)


def _directory_length(file, size):
    """Return the length of an archive's directory by the record at its very end."""
    file.seek(max(0, size - END.size - LOCATOR.size))
    tail = file.read()
    if len(tail) < END.size or tail[-END.size :][:4] != b"PK\x05\x06":
        raise zipfile.BadZipFile("it ends without a directory")
    length = END.unpack(tail[-END.size :])[5]
    if tail[: LOCATOR.size][:4] == b"PK\x06\x07":  # a second record has the larger number
        file.seek(LOCATOR.unpack(tail[: LOCATOR.size])[2])
        length = END64.unpack(file.read(END64.size))[0]
    return length


def _check_pickle(file, most):
    """Raise TooMuch if a pickle is too long or names what takes memory; stop after it."""
    strings, stacked = set(), False
    start = file.tell()
    for opcode, argument, at in pickletools.genops(file):
        if at is not None and at - start > most:
            raise TooMuch(f"its pickle has more than {most} bytes")
        if opcode.name in ("GLOBAL", "INST"):
            _check_name(argument)
        elif opcode.name == "STACK_GLOBAL":
            stacked = True
        elif isinstance(argument, str) and len(argument) < 100:
            strings.add(argument)
    for name in strings if stacked else ():
        _check_name(name)


def _check_name(name):
    """Raise TooMuch for a class whose call takes memory."""
    if name.split(".")[-1].split(" ")[-1].endswith(TAKES_MEMORY):
        raise TooMuch(f"it holds {name}, not only tensors: save model.state_dict() instead")
