"""The process of one engine: python -m benchmarks.peers.worker MODULE FUNCTION FOLDER THREADS.

It reads a request per line from stdin and answers each with a line of JSON on stdout: seconds of
timed calls, memory, or the file of scores. Libraries print what they like: their stdout is stderr
here. Works without any package but NumPy, as it also runs in the peers' environment. Linux only.
"""

import importlib
import json
import os
import sys
from pathlib import Path
from time import perf_counter, sleep

import numpy as np

PAUSE = 0.02  # seconds for the threads of the engine before to stop spinning


def memory(field: str) -> int:
    """Return this process's memory in bytes: VmRSS (now) or VmHWM (peak)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    raise ValueError(f"/proc/self/status has no {field}")


class Worker:
    """A loaded engine and the frames that it is shown."""

    def __init__(self, module: str, function: str, folder: Path, threads: int) -> None:
        self.frames = np.load(folder / "frames.npy", mmap_mode="r")
        loaded = importlib.import_module(module)
        # with the first matrix product, libraries allocate what is theirs, not the net's
        np.ones((8, 8), np.float32) @ np.ones((8, 8), np.float32)
        self.before = memory("VmRSS")
        start = perf_counter()
        self.engine = getattr(loaded, function)(folder, threads)
        self.loading = perf_counter() - start

    def about(self) -> dict:
        """Return what is known after loading."""
        return {
            "version": self.engine.version,
            "loading": self.loading,
            "calls": list(self.engine.calls),
            "facts": dict(self.engine.facts),
        }

    def time(self, call: str, frame: int, warm: int, count: int) -> dict:
        """Run a call on frames in turn, beginning with number `frame`; time all but the first."""
        seconds = []
        feed = self.engine.feeds.get(call, self.engine.feed)
        sleep(PAUSE)
        for turn in range(warm + count):
            feed(np.array(self.frames[(frame + turn) % len(self.frames)]))
            start = perf_counter()
            self.engine.calls[call]()
            seconds.append(perf_counter() - start)
        return {"seconds": seconds[warm:]}

    def scores(self, frame: int, path: str) -> dict:
        """Save the scores of a frame."""
        self.engine.feed(np.array(self.frames[frame]))
        np.save(path, np.asarray(self.engine.calls["frame"]()))
        return {}

    def memory(self) -> dict:
        """Run one frame; return the bytes that it takes beside what the imports take."""
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
        self.engine.feed(np.array(self.frames[0]))
        self.engine.calls["frame"]()
        return {"resident": memory("VmRSS") - self.before, "peak": memory("VmHWM") - self.before}


def main(arguments: list[str]) -> None:
    """Load the engine and answer requests until stdin ends."""
    module, function, folder, threads = arguments
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(what):
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    try:
        worker = Worker(module, function, Path(folder), int(threads))
        answer(worker.about())
        for line in sys.stdin:
            request = json.loads(line)
            answer(getattr(worker, request.pop("do"))(**request))
    except Exception as error:
        answer({"error": f"{type(error).__name__}: {error}"})
        raise


if __name__ == "__main__":
    main(sys.argv[1:])
