"""Reads net and solver definitions from text: every failure names file, line, column and the fix.

net = read_net("nets/fcn8s.prototxt")        # NetParameter, upgraded to today's form
solver = read_solver("solver.prototxt")      # SolverParameter
"""

import difflib
import os
from pathlib import Path

from google.protobuf import text_format

from caffe.definition.hints import explain
from caffe.definition.upgrade import UpgradeError, upgrade_net, upgrade_solver
from caffe.errors import CaffeError
from caffe.proto import caffe_pb2

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# Parsing takes 1 s a MiB or two, a group 500 bytes of memory; nets of 1000 layers have 1 MiB.
MOST_BYTES, MOST_GROUPS = 2**23, 200_000


class PrototxtError(CaffeError):
    """A definition that cannot be read. `path`, `line` and `column` (from 1; None: whole file)."""

    def __init__(self, path, what, line=None, column=None):
        place = ":".join(str(part) for part in (path, line, column) if part is not None)
        super().__init__(f"{place}: {what}")
        self.path, self.line, self.column = path, line, column


def read_net(path):
    """The net defined in the prototxt `path`, as a NetParameter in today's form.

    Older generations (`layers { }`, `input:` headers) are upgraded, see upgrade.py.
    Raises PrototxtError.
    """
    net = read_text(path, caffe_pb2.NetParameter())
    try:
        return upgrade_net(net)
    except UpgradeError as error:
        raise PrototxtError(path, error) from None


def read_solver(path):
    """The solver defined in the prototxt `path`, as a SolverParameter; inline nets are upgraded.

    Raises PrototxtError.
    """
    solver = read_text(path, caffe_pb2.SolverParameter())
    try:
        return upgrade_solver(solver)
    except UpgradeError as error:
        raise PrototxtError(path, error) from None


def read_text(path, message):
    """Fill `message` (any message of caffe_pb2) from the prototxt `path` and return it, as written.

    Raises PrototxtError. Files of more than 8 MiB or 200 000 groups are refused before they are
    parsed: that bounds the time (some 15 s) and the memory (some 200 MB) that any file can take.
    """
    path = Path(path)
    text = _decode(path, _read_bytes(path))
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        line, column, what = explain(error, text, message)
        raise PrototxtError(path, what, line, column) from None
    if not message.ListFields():
        raise PrototxtError(path, "the file is empty or holds comments only")
    if missing := message.FindInitializationErrors():
        raise PrototxtError(path, f"add the required {', '.join(missing)}")
    return message


def _read_bytes(path):
    if path.is_dir():
        raise PrototxtError(path, "this is a folder; name the .prototxt file in it")
    try:
        with open(path, "rb") as file:  # of a device or a pipe nobody knows the size
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise PrototxtError(path, _missing(path)) from None
    except OSError as error:
        raise PrototxtError(path, f"cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL in the name
        raise PrototxtError(ascii(path), "no file can have this name") from None
    return content


def _check_size(path, content):
    """Refuse what would take minutes or gigabytes to parse."""
    for count, most, what in (
        (len(content), MOST_BYTES, "bytes"),
        (content.count(b"{") + content.count(b"<"), MOST_GROUPS, "groups"),
    ):
        if count > most:
            raise PrototxtError(
                path,
                f"a definition of more than {most} {what} is not read: "
                "weights belong in a .caffemodel",
            )


def _missing(path):
    """Says where a file was looked for and what lies there under a similar name."""
    folder = path.absolute().parent
    if not folder.is_dir():
        return f"no such file: the folder {folder} does not exist (working folder {os.getcwd()})"
    similar = difflib.get_close_matches(path.name, sorted(os.listdir(folder)), n=3)
    hint = f"; did you mean {' or '.join(similar)}?" if similar else ""
    return f"no such file in {folder}{hint}"


def _decode(path, content):
    if content.startswith(HDF5_SIGNATURE):
        raise PrototxtError(path, "this is an HDF5 file, not a definition; " + _WEIGHTS_GO_SECOND)
    if b"\0" in content:
        raise PrototxtError(
            path,
            "this looks like a .caffemodel or another binary file, not a "
            "definition; " + _WEIGHTS_GO_SECOND,
        )
    _check_size(path, content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1
        what = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise PrototxtError(path, what, line, column) from None


_WEIGHTS_GO_SECOND = (
    'the definition comes first and the weights second: Net("net.prototxt", "net.caffemodel", TEST)'
)
