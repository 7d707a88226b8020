"""Read net and solver definitions; each error names the file, line and column and the fix.

>>> net = read_net("nets/fcn8s.prototxt")  # NetParameter, in the current format
>>> solver = read_solver("solver.prototxt")  # SolverParameter
"""

import difflib
import os
from pathlib import Path
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message

from caffe.definition.hints import explain
from caffe.definition.upgrade import UpgradeError, upgrade_net, upgrade_solver
from caffe.errors import CaffeError
from caffe.proto import caffe_pb2
from caffe.weights.files import HDF5_MAGIC, PathLike

# Parsing takes about 1 s per MiB or two, and 500 bytes of memory per group; a net of 1000 layers is
# about 1 MiB.
MOST_BYTES, MOST_GROUPS = 2**23, 200_000
WEIGHTS_COME_SECOND = (
    'the definition comes first and the weights second: Net("net.prototxt", "net.caffemodel", TEST)'
)
AnyMessage = TypeVar("AnyMessage", bound=Message)


class PrototxtError(CaffeError):
    """A definition that cannot be read.

    Attributes
    ----------
    path : path
    line, column : int or None
        Where the error is, from 1; None if it is not in one place.
    """

    def __init__(
        self,
        path: PathLike,
        what: str | Exception,
        line: int | None = None,
        column: int | None = None,
    ):
        place = ":".join(str(part) for part in (path, line, column) if part is not None)
        super().__init__(f"{place}: {what}")
        self.path, self.line, self.column = path, line, column


def read_net(path: PathLike) -> caffe_pb2.NetParameter:
    """Return the net that a prototxt defines, in the current format.

    Older formats (`layers { }`, `input:` headers) are upgraded, see `caffe.definition.upgrade`.

    Parameters
    ----------
    path : path

    Returns
    -------
    NetParameter

    Raises
    ------
    PrototxtError
        If the file is missing, cannot be parsed or contradicts itself.
    """
    net = read_text(path, caffe_pb2.NetParameter())
    try:
        return upgrade_net(net)
    except UpgradeError as error:
        raise PrototxtError(path, error) from None


def read_solver(path: PathLike) -> caffe_pb2.SolverParameter:
    """Return the solver that a prototxt defines; inline nets are upgraded.

    Parameters
    ----------
    path : path

    Returns
    -------
    SolverParameter

    Raises
    ------
    PrototxtError
        If the file is missing, cannot be parsed or contradicts itself.
    """
    solver = read_text(path, caffe_pb2.SolverParameter())
    try:
        return upgrade_solver(solver)
    except UpgradeError as error:
        raise PrototxtError(path, error) from None


def read_text(path: PathLike, message: AnyMessage) -> AnyMessage:
    """Parse a prototxt into a message, without upgrades.

    Files of more than 8 MiB or 200 000 groups are refused before they are parsed. This limits the
    time (about 15 s) and the memory (about 200 MB) that any file can take.

    Parameters
    ----------
    path : path
    message : google.protobuf.message.Message
        Any message of caffe_pb2.

    Returns
    -------
    google.protobuf.message.Message
        The same `message`.

    Raises
    ------
    PrototxtError
        If the file is missing, too large or empty, or cannot be parsed.
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
    missing = message.FindInitializationErrors()  # type: ignore[attr-defined]  # not in the stubs
    if missing:
        raise PrototxtError(path, f"add the required {', '.join(missing)}")
    return message


def _read_bytes(path):
    """Return the content of a file, up to one byte more than is read."""
    if path.is_dir():
        raise PrototxtError(path, "this is a folder; name the .prototxt file in it")
    try:
        with open(path, "rb") as file:  # devices and pipes have no known size
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise PrototxtError(path, _missing(path)) from None
    except OSError as error:
        raise PrototxtError(path, f"cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL in the name
        raise PrototxtError(ascii(path), "no file can have this name") from None
    return content


def _check_size(path, content):
    """Raise PrototxtError for a file that would take minutes or gigabytes to parse."""
    groups = content.count(b"{") + content.count(b"<")
    for count, most, what in ((len(content), MOST_BYTES, "bytes"), (groups, MOST_GROUPS, "groups")):
        if count > most:
            raise PrototxtError(
                path,
                f"a definition of more than {most} {what} is not read: "
                "weights belong in a .caffemodel",
            )


def _missing(path):
    """Say where a file was looked for, and name the files there with a similar name."""
    folder = path.absolute().parent
    if not folder.is_dir():
        return f"no such file: the folder {folder} does not exist (working folder {os.getcwd()})"
    similar = difflib.get_close_matches(path.name, sorted(os.listdir(folder)), n=3)
    hint = f"; did you mean {' or '.join(similar)}?" if similar else ""
    return f"no such file in {folder}{hint}"


def _decode(path, content):
    """Return the text of a definition; raise PrototxtError for any other kind of file."""
    if content.startswith(HDF5_MAGIC):
        raise PrototxtError(path, f"this is an HDF5 file, not a definition; {WEIGHTS_COME_SECOND}")
    if b"\0" in content:
        raise PrototxtError(
            path,
            "this looks like a .caffemodel or another binary file, not a definition; "
            f"{WEIGHTS_COME_SECOND}",
        )
    _check_size(path, content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1
        what = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise PrototxtError(path, what, line, column) from None
