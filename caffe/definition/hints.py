"""Hints: turn a protobuf parse error into what is wrong with a definition and how to fix it."""

import re
from collections.abc import Iterable

from google.protobuf.message import Message
from google.protobuf.text_format import ParseError

from caffe.definition.fork_fields import MOVED, of_fork_field
from caffe.definition.source_text import TOKEN, look_alike, other_kind, place
from caffe.definition.upgrade_v1 import layer_type
from caffe.layer_types import registry
from caffe.layer_types.fork_layers import of_fork
from caffe.proto import caffe_pb2
from caffe.spelling import near

LAYERS = ("LayerParameter", "V1LayerParameter")
V1_TYPES = "caffe.V1LayerParameter.LayerType"


def explain(error: ParseError, text: str, message: Message) -> tuple[int | None, int | None, str]:
    """Explain why a prototxt could not be parsed.

    Parameters
    ----------
    error : google.protobuf.text_format.ParseError
    text : str
        The whole prototxt.
    message : google.protobuf.message.Message
        The message that it was parsed into.

    Returns
    -------
    line, column : int or None
        Where the error is, from 1.
    what : str
        What is wrong and how to fix it, followed by the line itself, indented.
    """
    line, column = error.GetLine(), error.GetColumn()
    reason = re.sub(r"^\d+:\d+ : ('.*?': (?=[A-Z]))?", "", str(error), flags=re.S)
    lines = text.split("\n")
    if other := other_kind(text):
        what = other
    elif sign := look_alike(text, line or 0):
        line, column, what = sign
    elif "}" in reason and (stray := unbalanced_brace(text)):
        line, column, what = stray
    else:
        what = _hint(reason, message, _rest(lines, line, column))
    quoted = f"\n    {_short(lines[line - 1].strip())}" if line and line <= len(lines) else ""
    return line, column, _short(what, 500) + quoted


def _short(text, most=200):
    """Cut a text that would fill the screen, such as that of a file of a single line."""
    return text if len(text) <= most else f"{text[:most]} ..."


def _rest(lines, line, column):
    """Return what stands in the line from the place of the error on."""
    return lines[line - 1][max(0, (column or 1) - 1) :] if line and line <= len(lines) else ""


def _hint(reason, message, rest):
    """Return protobuf's reason in the terms of a prototxt, with a fix if one is known."""
    if re.match(r"(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)", rest):
        return "this line is left over from a merge of two versions: keep one of them"
    if re.match(r"/[/*]", rest):
        return "a comment begins with #, not with // or /*"
    if found := re.search(r'type "caffe\.(\w+)" has no field named "(.+)"', reason):
        return _unknown_field(*found.groups(), message)
    if found := re.search(r'type "([\w.]+)" has no value (?:named|with number) "?(\w+)', reason):
        return _unknown_value(*found.groups())
    if found := re.search(r'"caffe\.(\w+)" should not have multiple "(\w+)"', reason):
        return f"{found[2]} is given twice in one {found[1]}; keep one"
    if found := re.search(r"Expected string but found: '(.*)'", reason):
        return f"this field takes text in quotes: write {_in_quotes(found[1], rest)}"
    if "codec can't" in reason:
        return "this text is not UTF-8: write names and paths without such escapes"
    if found := re.search(r"Couldn't parse integer: (.*)", reason):
        return f"this field takes a whole number, not {found[1]}"
    if found := re.search(r"Couldn't parse float: (.*)", reason):
        return f"this field takes a number, not {found[1]}"
    if found := re.search(r"Value out of range: (.*)", reason):
        return f"this field cannot hold {found[1]}; counts and sizes are 0 or more"
    if reason.startswith('Expected "{"'):
        return "this field is a group: write its settings between { and }"
    if reason.startswith('Expected ":"'):
        return "a colon is missing between the name of the field and its value"
    return reason


def _in_quotes(found, rest):
    """Return a value that lacks its quotes with them: a type in today's spelling, a whole path."""
    if found in caffe_pb2.V1LayerParameter.LayerType.keys():
        return f'"{layer_type(found)}"'
    value = re.match(r"[^\s{}\"',;#]*", rest)[0].replace("\\", "/")
    return f'"{value or found}"'


def _unknown_field(type_name, field, message):
    """Return what to say about a field that the message type does not have."""
    if type_name == message.DESCRIPTOR.name and (type_name, field) not in MOVED:
        read = {known.name for known, _ in message.ListFields()}
        for other, kind in (("NetParameter", "a net"), ("SolverParameter", "a solver")):
            if other != type_name and read | {field} <= set(_fields(other)):
                return f"{type_name} has no field {field}; this looks like {kind} definition"
    return f"{type_name} has no field {field}; {unknown_field(type_name, field)}"


def unknown_field(type_name: str, field: str) -> str:
    """Return what to say about a field that a message type does not have.

    Parameters
    ----------
    type_name : str
        The message type, such as LayerParameter.
    field : str

    Returns
    -------
    str
        Where the field belongs, whose fork it comes from, which field of this message is meant, or
        which there are; never a field of another message.
    """
    if moved := MOVED.get((type_name, field)) or of_fork_field(type_name, field):
        return moved
    if field.isdigit():
        return "this number has no name before it; a number has a decimal point, not a comma"
    fields = _fields(type_name)
    if close := near(field, fields):
        return f"did you mean {' or '.join(close)}?"
    if type_name == "NetParameter" and field in _fields("LayerParameter"):
        return "it belongs inside a layer { }: does a } above close that too early?"
    if type_name in LAYERS and field.endswith("_param"):
        return (
            "no layer type of Caffe 1.0 has such settings: they come from a fork of Caffe, or are "
            "misspelt"
        )
    if type_name in LAYERS:
        own = ", ".join(name for name in fields if not name.endswith("_param"))
        return f"there are {own}, and the settings of layer types, such as convolution_param"
    return suggest(field, fields)


def _unknown_value(enum_name, value):
    """Return what to say about a value that the enum does not have."""
    values = list(caffe_pb2.DESCRIPTOR.pool.FindEnumTypeByName(enum_name).values_by_name)
    if value in values:
        return f"write {value} without quotes"
    if enum_name == V1_TYPES:
        current = [name for name in registry if name.lower() == value.replace("_", "").lower()]
        fix = of_fork(value) or (
            f'write layer {{ type: "{current[0]}" }}' if current else suggest(value, values)
        )
        return f"{value} is not a layer type of the old form layers {{ }}; {fix}"
    return f"{enum_name.split('.')[-1]} has no value {value}; {suggest(value, values)}"


def _fields(type_name):
    """Return the names of a message type's fields."""
    return list(caffe_pb2.DESCRIPTOR.message_types_by_name[type_name].fields_by_name)


def suggest(word: str, words: Iterable[str]) -> str:
    """Return "did you mean ...?" for a misspelt word.

    Parameters
    ----------
    word : str
    words : iterable of str
        The words that are known.

    Returns
    -------
    str
        It names up to three words that are near (see `caffe.spelling`); if none is, all words if
        they are 20 or fewer.
    """
    words = list(words)
    if close := near(word, words):
        return f"did you mean {' or '.join(close)}?"
    return f"there are {', '.join(words)}" if len(words) <= 20 else "none has a similar name"


def unbalanced_brace(text: str) -> tuple[int, int, str] | None:
    """Find the first } without its { or, if there is none, the last { without its }.

    Braces in quotes and comments do not count.

    Parameters
    ----------
    text : str
        A prototxt.

    Returns
    -------
    (line, column, what) or None
        Its place, from 1, and how to fix it; None if all braces match.
    """
    opened: list[int] = []
    for token in re.finditer(rf"{TOKEN.pattern}|[{{}}]", text):
        if token[0] == "{":
            opened.append(token.start())
        elif token[0] == "}":
            if not opened:
                return *place(text, token.start()), "this } closes nothing; remove it"
            opened.pop()
    if opened:
        return *place(text, opened[-1]), "this { is never closed; add its }"
    return None
