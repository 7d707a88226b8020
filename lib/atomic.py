"""Write a file in one step, so that an interruption leaves the old file or the new one."""

import os
from pathlib import Path


def write_atomically(path: os.PathLike[str] | str, data: str | bytes) -> None:
    """Write `data` to `path`; if interrupted, leave the previous file as it was.

    The data goes to a temporary file in the same folder, which then replaces `path`. The file gets
    the permissions of any new file (umask applies).

    Parameters
    ----------
    path : path-like
        Its folder must exist.
    data : str or bytes
        Text is encoded as UTF-8, its newlines are written as they are.

    Raises
    ------
    OSError
        If the file cannot be written. No temporary file is left behind.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(unfinished, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())  # or a power cut may leave the name without the content
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
