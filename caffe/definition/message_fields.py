"""Set protobuf fields from Python values: numbers, strings, lists, dicts, NumPy arrays."""

from collections.abc import Mapping

import numpy as np
from google.protobuf.message import Message

from caffe.definition.hints import suggest, unknown_field


class FieldError(ValueError):
    """A field that the message does not have or a value that the field cannot hold."""


def assign_field(message: Message, name: str, value: object) -> None:
    """Set a field of a message; a repeated field is extended.

    Parameters
    ----------
    message : google.protobuf.message.Message
    name : str
        Name of the field.
    value : object
        A number, string or bool; for an enum its number or name; for a group a dict or a message
        of its type; for a repeated field a list, tuple, range or array of these, or a single one.

    Raises
    ------
    FieldError
        If the message has no such field, or the field cannot hold the value.
    """
    field = message.DESCRIPTOR.fields_by_name.get(name)
    if field is None:
        kind = message.DESCRIPTOR.name
        raise FieldError(f"{kind} has no field {name!r}; {unknown_field(kind, name)}")
    values = _as_list(value) if field.is_repeated else [value]
    if field.message_type:
        for item in values:
            target = getattr(message, name)
            _fill(target.add() if field.is_repeated else target, name, item)
        return
    values = [_scalar(field, item) for item in values]
    try:
        if field.is_repeated:
            getattr(message, name).extend(values)
        else:
            setattr(message, name, values[0])
    except (TypeError, ValueError):
        raise FieldError(f"{name} = {value!r}: this field takes {_kind(field)}") from None


def _as_list(value):
    """Return the values for a repeated field as a list."""
    if isinstance(value, np.ndarray):
        return value.tolist() if value.ndim else [value.item()]
    return list(value) if isinstance(value, list | tuple | range) else [value]


def _fill(message, name, value):
    """Fill a group from a dict, or from a message of its own type."""
    if isinstance(value, type(message)):
        message.CopyFrom(value)
    elif isinstance(value, Mapping):
        message.SetInParent()
        for key, item in value.items():
            assign_field(message, key, item)
    else:
        raise FieldError(
            f"{name} = {value!r}: this field takes a dict of the fields of "
            f"{message.DESCRIPTOR.name}"
        )


def _scalar(field, value):
    """Return a value as the field takes it: no NumPy scalars, enums by number."""
    if isinstance(value, np.generic):
        value = value.item()
    if field.enum_type and isinstance(value, str):
        number = field.enum_type.values_by_name.get(value)
        if number is None:
            names = list(field.enum_type.values_by_name)
            raise FieldError(f"{field.name} = {value!r}: no such value; {suggest(value, names)}")
        return number.number
    return value


def _kind(field):
    """Say what a field takes."""
    if field.enum_type:
        return f"one of {', '.join(field.enum_type.values_by_name)}"
    kinds = {
        field.CPPTYPE_STRING: "text",
        field.CPPTYPE_BOOL: "True or False",
        field.CPPTYPE_FLOAT: "a number",
        field.CPPTYPE_DOUBLE: "a number",
        field.CPPTYPE_UINT32: "a whole number from 0",
    }
    return kinds.get(field.cpp_type, "a whole number")
