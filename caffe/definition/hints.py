"""Hints: turn a protobuf parse error into what is wrong with a definition and how to fix it."""

import difflib
import re
from collections.abc import Iterable

from google.protobuf.message import Message
from google.protobuf.text_format import ParseError

from caffe.layer_types import registry
from caffe.layer_types.fork_layers import of_fork
from caffe.proto import caffe_pb2

# Fields of another generation of the format, or in the wrong place: what to write instead.
MOVED = {
    ("LayerParameter", "blobs_lr"): "write param { lr_mult: ... }, one per weight blob",
    ("LayerParameter", "weight_decay"): "write param { decay_mult: ... }, one per weight blob",
    ("LayerParameter", "blob_share_mode"): "write param { share_mode: ... }, one per weight blob",
    ("LayerParameter", "layer"): "close the layer above with } before the next one",
    ("NetParameter", "input_param"): "it belongs inside a layer { } of type Input",
}
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
    if "}" in reason and (stray := unbalanced_brace(text)):
        line, column, what = stray
    else:
        what = _hint(reason, message)
    lines = text.splitlines()
    quoted = f"\n    {_short(lines[line - 1].strip())}" if line and line <= len(lines) else ""
    return line, column, _short(what, 500) + quoted


def _short(text, most=200):
    """Cut a text that would fill the screen, such as that of a file of a single line."""
    return text if len(text) <= most else f"{text[:most]} ..."


def _hint(reason, message):
    """Return protobuf's reason in the terms of a prototxt, with a fix if one is known."""
    if found := re.search(r'type "caffe\.(\w+)" has no field named "(.+)"', reason):
        return _unknown_field(*found.groups(), message)
    if found := re.search(r'type "([\w.]+)" has no value (?:named|with number) "?(\w+)', reason):
        return _unknown_value(*found.groups())
    if found := re.search(r'"caffe\.(\w+)" should not have multiple "(\w+)"', reason):
        return f"{found[2]} is given twice in one {found[1]}; keep one"
    if found := re.search(r"Expected string but found: '(.*)'", reason):
        return f'this field takes text in quotes: write "{found[1]}"'
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


def _unknown_field(type_name, field, message):
    """Return what to say about a field that the message type does not have."""
    if moved := MOVED.get((type_name, field)):
        return f"{type_name} has no field {field}; {moved}"
    if type_name in LAYERS and (fork := of_fork(field.removesuffix("_param"))):
        return f"{type_name} has no field {field}; {fork}"
    if type_name == message.DESCRIPTOR.name:
        for other, kind in (("NetParameter", "a net"), ("SolverParameter", "a solver")):
            if other != type_name and field in _fields(other):
                return f"{type_name} has no field {field}; this looks like {kind} definition"
    return f"{type_name} has no field {field}; {suggest(field, _fields(type_name))}"


def _unknown_value(enum_name, value):
    """Return what to say about a value that the enum does not have."""
    values = list(caffe_pb2.DESCRIPTOR.pool.FindEnumTypeByName(enum_name).values_by_name)
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
        It names up to three words that begin with `word`, else the most similar one; without
        either, all words if they are 20 or fewer.
    """
    words = list(words)
    near = [candidate for candidate in words if candidate.startswith(word)][:3]
    if not near:
        lower = {candidate.lower(): candidate for candidate in words}
        near = [lower[match] for match in difflib.get_close_matches(word.lower(), lower, n=1)]
    if near:
        return f"did you mean {' or '.join(near)}?"
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
    for token in re.finditer(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*|[{}]', text):
        if token[0] == "{":
            opened.append(token.start())
        elif token[0] == "}":
            if not opened:
                return *_place(text, token.start()), "this } closes nothing; remove it"
            opened.pop()
    if opened:
        return *_place(text, opened[-1]), "this { is never closed; add its }"
    return None


def _place(text, index):
    """Return (line, column), both from 1, of a character."""
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1
