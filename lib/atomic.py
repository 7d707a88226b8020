"""Write a file in one step, so that an interruption leaves the old file or the new one."""

import os
import secrets
from pathlib import Path


def write_atomically(path: os.PathLike[str] | str, data: str | bytes) -> None:
    """Write `data` to `path`; if interrupted, leave the previous file as it was.

    The data goes to a temporary file in the same folder, which then replaces `path`. Each call has
    one of its own, so of several writers at once the last one wins, with all of its data. The file
    gets the permissions of any new file (umask applies).

    Parameters
    ----------
    path : path-like
        Its folder must exist.
    data : str or bytes
        Text is encoded as UTF-8, its newlines are written as they are.

    Raises
    ------
    OSError
        If the file cannot be written. No temporary file is left behind, unless the process is
        killed: then one called .<random>.part is, which may be deleted.
    """
    path = Path(path)
    content = data.encode() if isinstance(data, str) else memoryview(data).cast("B")
    if path.is_char_device() or path.is_block_device():
        raise OSError(f"{path} is a device, which a file would replace: give another path")
    # not named after the file, whose name may be as long as names may be
    unfinished = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            _write_all(file, content)
            os.fsync(file)  # or a power cut may leave the name without the content
        finally:
            os.close(file)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _write_all(file, content):
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]  # a full disk may take a part before it raises
