"""Looking at a file before it is opened, and text files that list others."""

import os

from caffe.errors import DataError

LONGEST_LIST = 2**30  # bytes; the training list of ImageNet is 40 MB


def check_file(path, what):
    """DataError where `path` is no regular file that can be read, or is empty.

    what: what the file should be, for the message. Pipes and devices are refused: they may never
    end.
    """
    if not os.path.exists(path):
        raise DataError(f"{path}: no such {what} (paths count from {os.getcwd()})")
    if os.path.isdir(path):
        raise DataError(f"{path} is a folder: name the {what} in it")
    if not os.path.isfile(path):
        raise DataError(f"{path} is a pipe or a device: name a {what} on disk")
    if not os.access(path, os.R_OK):
        raise DataError(f"{path} cannot be read: check its permissions")
    if not os.path.getsize(path):
        raise DataError(f"{path} is empty: it should be a {what}")


def read_list(path, what):
    """[(line number, text)] of the lines of a text file that are not blank, stripped.

    DataError where it is missing, longer than 1 GiB, no text, or blank throughout.
    """
    check_file(path, what)
    if os.path.getsize(path) > LONGEST_LIST:
        raise DataError(f"{path} is {os.path.getsize(path) / 2**30:.1f} GiB: it cannot be a {what}")
    try:
        with open(path, "rb") as f:
            binary = b"\0" in f.read(4096)
        if binary:
            raise DataError(f"{path} is a binary file: the source should be a {what}")
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            lines = [(i, line.strip()) for i, line in enumerate(f, 1)]
    except OSError as e:
        raise DataError(f"{path} cannot be read: {e.strerror}") from None
    lines = [(i, line) for i, line in lines if line]
    if not lines:
        raise DataError(f"{path} holds blank lines only: it should be a {what}")
    return lines
