"""ByName: what a net has, by name, for reading; an unknown name is an error that helps."""

import difflib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

from caffe.errors import NotAssignable

Value = TypeVar("Value")


class ByName(OrderedDict[str, Value]):
    """An ordered dict for reading.

    pycaffe's is an ordinary dict: to assign to it changes the dict and not the net. Here it raises.
    A copy is an ordinary OrderedDict.

    Parameters
    ----------
    items : iterable of (str, value)
    what, many : str
        What a value is, and what all of them are, for messages: "layer with weights", "weights".
    fix : str
        What to do instead of assigning, for messages.
    """

    def __init__(self, items: Iterable[tuple[str, Value]], what: str, many: str, fix: str):
        super().__init__()
        for name, value in items:
            super().__setitem__(name, value)
        self.what, self.many, self.fix = what, many, fix

    def __missing__(self, name: object) -> Any:
        near = difflib.get_close_matches(str(name), self, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        names = " ".join(self) or "none"
        raise KeyError(f"no {self.what} {name!r}; there are {names}{hint}")

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        """Raise NotAssignable, whatever the change."""
        name = args[0] if args and isinstance(args[0], str) else "name"
        raise NotAssignable(
            f"the {self.many} of a net cannot be replaced, added or removed: "
            f"{self.fix.format(name=repr(name))}"
        )

    __setitem__ = __delitem__ = pop = popitem = clear = _refuse
    update = setdefault = move_to_end = __ior__ = _refuse

    def copy(self) -> Any:
        """Return an OrderedDict of the same values."""
        return OrderedDict(self)

    __copy__ = copy

    def __or__(self, other: Any) -> Any:
        return OrderedDict(self) | other

    def __ror__(self, other: Any) -> Any:
        return other | OrderedDict(self)

    def __reduce__(self):
        return OrderedDict, (list(self.items()),)
