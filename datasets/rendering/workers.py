"""Draw the units of a miniature in several processes.

Each is a Python of its own that runs this module, and knows nothing of the program that asks for
the miniature. (The processes of `multiprocessing` import its main module, which asks once more if
it is a script without a guard, and cannot be imported at all if it came from stdin.)
"""

import json
import os
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from datasets.errors import DatasetError

ROOT = Path(__file__).resolve().parents[1]  # of the repository
_NO_SPACE = 3  # exit status: a file could not be written; stderr says why

Unit = tuple[str, int]  # split and number


def draw(writer: str, root: Path, manifest: dict[str, Any], units: list[Unit]) -> None:
    """Draw some units in this process.

    Parameters
    ----------
    writer : str
        Name of the module that draws them.
    root : Path
        Folder of the miniature.
    manifest : dict
        Its 'seed' and 'size'.
    units : list of (str, int)
        Split and number of each.
    """
    render = import_module(writer).render
    for split, number in units:
        render(root, manifest["seed"], split, number, manifest["size"])


def draw_in_processes(
    writer: str, root: Path, manifest: dict[str, Any], units: list[Unit], workers: int
) -> None:
    """Draw some units in several processes; arguments as for `draw`, and the number of processes.

    Raises
    ------
    OSError
        If a file cannot be written.
    DatasetError
        If a process is ended from outside.
    RuntimeError
        If a process fails otherwise.
    """
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for k in range(min(workers, len(units))):
            processes.append(_start([writer, str(root), manifest, units[k::workers]]))
        for process in processes:
            _wait(process)
    finally:
        for process in processes:
            process.kill()
            process.wait()
            for pipe in filter(None, (process.stdin, process.stderr)):
                pipe.close()


def _start(request):
    """Start a process and send it its request."""
    process = subprocess.Popen(
        # -P: nothing in the working folder may pass for a module
        [sys.executable, "-P", "-m", "datasets.rendering.workers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
        start_new_session=True,  # Ctrl-C is for us, who then end it
        bufsize=0,
    )
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
    except BrokenPipeError:
        pass  # it ended already; _wait tells why
    return process


def _wait(process):
    """Wait for the end of a process, and raise what went wrong in it."""
    said = process.stderr.read().decode(errors="replace").strip()
    status = process.wait()
    if status == _NO_SPACE:
        raise OSError(said)
    if status < 0:
        raise DatasetError(
            f"a process that draws was ended by signal {-status}; if memory is short, draw with "
            "workers=1"
        )
    if status:
        raise RuntimeError(f"a process that draws failed with status {status}:\n{said}")


def main() -> None:
    """Read a request from stdin and draw its units; end at once if the parent does."""
    writer, root, manifest, units = json.loads(_read_line())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        draw(writer, Path(root), manifest, units)
    except OSError as error:
        print(error.strerror or error, file=sys.stderr)
        sys.exit(_NO_SPACE)


def _read_line():
    """Return the bytes up to the end of a line, or of stdin."""
    line = b""
    while not line.endswith(b"\n") and (more := os.read(0, 1 << 16)):
        line += more
    return line


def _end_with_parent():
    """Wait for the end of stdin, whose other side only the parent has."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
