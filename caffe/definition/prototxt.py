"""Read net and solver definitions; each error names the file, line and column and the fix.

>>> net = read_net("nets/fcn8s.prototxt")  # NetParameter, in the current format
>>> solver = read_solver("solver.prototxt")  # SolverParameter
"""

import os
import re
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message

from caffe.definition.hints import explain
from caffe.definition.source_text import TextError, bad_path, binary_kind, decode
from caffe.definition.upgrade import UpgradeError, upgrade_net, upgrade_solver
from caffe.errors import CaffeError
from caffe.files import DEFINITION, FileError, NotAPath, PathLike, as_path, read_file, shown
from caffe.proto import caffe_pb2

# Parsing takes about 1 s per MiB or two, and 500 bytes of memory per group; a net of 1000 layers is
# about 1 MiB.
MOST_BYTES, MOST_GROUPS = 2**23, 200_000
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
        place = ":".join(str(part) for part in (shown(path), line, column) if part is not None)
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
    _check_path(path, message)
    text = _read(path, message)
    if problem := bad_path(text):
        raise PrototxtError(path, problem[2], *problem[:2])
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


def _check_path(value, message):
    """Raise for what is no path, and say what to do with a message or a NetSpec."""
    if isinstance(value, Message) or hasattr(value, "to_proto"):
        given = type(value).__name__
        built = "param" if isinstance(value, Message) else "spec.to_proto()"
        fix = f"write str({built}) to a file and give its path"
        if isinstance(message, caffe_pb2.NetParameter) and not isinstance(
            value, caffe_pb2.SolverParameter
        ):
            fix += f", or build the net with caffe.Net.from_param({built}, caffe.TEST)"
        raise NotAPath(value, f"a {given} in place of the path of a definition: {fix}")
    if isinstance(value, bytes) and _is_definition(value.decode("utf-8", "replace")):
        raise _text_as_path(value.decode("utf-8", "replace"), message)
    as_path(value, DEFINITION)


def _read(path, message):
    """Return the text of the file."""
    try:
        content = read_file(path, DEFINITION, up_to=MOST_BYTES + 1)
    except FileError as error:
        if _is_definition(os.fspath(path)):
            raise _text_as_path(os.fspath(path), message) from None
        raise PrototxtError(path, error.reason) from None
    if other := binary_kind(content):
        raise PrototxtError(path, other)
    _check_number(path, len(content), MOST_BYTES, "bytes")
    try:
        text = decode(content, shown(path))
    except TextError as error:
        raise PrototxtError(path, error, error.line, error.column) from None
    _check_number(path, text.count("{") + text.count("<"), MOST_GROUPS, "groups")
    return text


def _is_definition(text):
    """Tell whether something given as a path is the text of a definition."""
    return bool(re.search(r"^\s*[A-Za-z_]\w+\s*(\{|:\s*[^\s/\\])", text[:10_000], re.MULTILINE))


def _text_as_path(text, message):
    """Return the error for the text of a definition that was given as its path."""
    kind = message.DESCRIPTOR.name
    fix = "write it to a file and give its path"
    if kind == "NetParameter":
        parsed = "text_format.Parse(text, caffe_pb2.NetParameter())"
        fix += f", or build the net with caffe.Net.from_param({parsed}, caffe.TEST)"
    begin = shown(" ".join(text[:100].split())[:60])
    return PrototxtError(f"{begin} ...", f"this is the text of a definition, not a path: {fix}")


def _check_number(path, number, most, what):
    """Raise PrototxtError for a file that would take minutes or gigabytes to parse."""
    if number > most:
        raise PrototxtError(
            path,
            f"a definition of more than {most} {what} is not read: weights belong in a .caffemodel",
        )
