"""Engines in processes of their own, driven one at a time.

Each library brings a pool of threads, settings for the whole process (how denormal numbers are
rounded, how long idle threads spin), and often a copy of the same runtime library. In one process
they would share these, and the order of imports would decide who is fast; their memory could not be
told apart; and a crash of one would end all. A process that waits for its next turn takes no
processor time.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class BenchmarkError(RuntimeError):
    """Something that is needed for a measurement failed; the message says what to do."""


class Kind(NamedTuple):
    """An engine as it is known before it runs."""

    title: str
    function: str
    module: str  # of this folder: "engines" runs in the peers' environment, others in ours
    format: str = ""  # what it reads: "onnx", "ncnn", "mnn"; else the caffemodel
    precision: str = "float32"

    @property
    def own(self) -> bool:
        """Whether it runs in the environment of this repository."""
        return self.module != "engines"


CHANGING = Kind("Clockwork, incremental", "changing", "changing")
KINDS = {
    kind.function: kind
    for kind in (
        Kind("Clockwork", "clockwork", "ours"),
        Kind("Clockwork bfloat16", "clockwork_bfloat16", "ours", precision="bfloat16"),
        Kind("PyTorch eager", "eager", "ours"),
        Kind("torch.compile", "compiled", "ours"),
        Kind("ONNX Runtime", "onnxruntime", "engines", "onnx"),
        Kind("OpenVINO", "openvino", "engines", "onnx"),
        Kind("OpenVINO bfloat16", "openvino_bfloat16", "engines", "onnx", "bfloat16"),
        Kind("OpenCV (Caffe importer)", "opencv", "engines"),
        Kind("ncnn, whole net", "ncnn", "engines", "ncnn"),
        Kind("MNN", "mnn", "engines", "mnn"),
    )
}


class Process:
    """A worker with one engine, from `with Process(...) as process` on.

    Parameters
    ----------
    kind : Kind
    folder : Path
        Files of a case, see `benchmarks.peers.case.write`.
    threads : int
    peers : Path or None
        The peers' environment; needed for engines that are not our own.
    limit : float
        Seconds after which a request is given up.

    Raises
    ------
    BenchmarkError
        If the engine cannot load the case; its message names the engine. So do the other methods
        if a request fails or takes too long. The process has ended then.
    """

    def __init__(
        self, kind: Kind, folder: Path, threads: int, peers: Path | None, limit: float = 300
    ) -> None:
        self.kind, self.limit = kind, limit
        if not kind.own and peers is None:
            raise BenchmarkError(f"{kind.title}: give the peers' environment (PEERS=folder)")
        python = sys.executable if kind.own or peers is None else str(peers / "bin" / "python")
        self._log = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                [python, "-m", "benchmarks.peers.worker"]
                + [f"benchmarks.peers.{kind.module}", kind.function, str(folder), str(threads)],
                cwd=ROOT,
                env={**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                bufsize=0,
            )
        except OSError as error:
            self._log.close()
            raise BenchmarkError(f"{kind.title}: cannot start {python}: {error}") from None
        try:
            self.about = self._answer()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream:
                stream.close()

    def ask(self, do: str, **settings: Any) -> dict[str, Any]:
        """Send a request, a method of `benchmarks.peers.worker.Worker`, and return the answer."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps({"do": do, **settings}).encode() + b"\n")
        except OSError:
            raise self._failure("has ended") from None
        return self._answer()

    def _answer(self):
        """Return the next answer; raise BenchmarkError if there is none in time."""
        stream, end, line = self._process.stdout, monotonic() + self.limit, b""
        while not line.endswith(b"\n"):
            if not select.select([stream], [], [], max(0, end - monotonic()))[0]:
                self.close()
                raise BenchmarkError(f"{self.kind.title}: no answer in {self.limit:g} s")
            part = os.read(stream.fileno(), 65536)
            if not part:
                raise self._failure("ended")
            line += part
        answer = json.loads(line)
        if "error" in answer:
            raise self._failure(answer["error"])
        return answer

    def _failure(self, what):
        """Return a BenchmarkError with what the process printed last."""
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            code = None
        self._log.seek(0)
        printed = self._log.read()[-800:].decode(errors="replace").strip()
        if code is not None and code < 0:
            what += f" (signal {-code})"
        return BenchmarkError(f"{self.kind.title}: {what}" + (f"\n{printed}" if printed else ""))
