"""Ctrl-C while a command still imports: one line, as later, in place of a traceback.

It needs nothing that takes long to import, as it is the first import of a command.
"""

import sys
from types import TracebackType


def end_quietly(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Show an exception that nobody caught; Ctrl-C without a traceback.

    To be put in place as ``sys.excepthook``. After Ctrl-C Python ends with the status 130.
    """
    if issubclass(kind, KeyboardInterrupt):
        print("\nStopped. The same command starts here again.", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
