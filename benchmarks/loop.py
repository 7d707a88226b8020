"""The loop around a net: what decoding, preprocessing, label maps and scoring cost beside forward.

    python -m benchmarks.loop [--repeats N]

The hard case is a light net on frames of 360 x 480: the net is quick and the frames are large. The
frames are rendered, and read from PNG files as those of CamVid.
"""

import argparse
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
from PIL import Image

import caffe
from datasets.camvid import camvid
from lib.labels import label_map
from lib.run_net import feed_net, fires
from lib.score_util import Scores
from nets.weights import find_net, find_weights

NET, CLASSES, SIZE = "camvid-fcn8s-light", 11, (360, 480)
FRAMES = 8


class Parts:
    """The parts of the loop, over image files with labels."""

    def __init__(self, folder: Path) -> None:
        self.net = caffe.Net(find_net(f"stage-{NET}"), find_weights(NET), caffe.TEST)
        self.scores = Scores(CLASSES)
        self.files = write_frames(folder)
        rng = np.random.default_rng(1)
        blocks = rng.integers(0, CLASSES, (SIZE[0] // 20, SIZE[1] // 20)).astype(np.uint8)
        self.truth = blocks.repeat(20, axis=0).repeat(20, axis=1)
        self.truth[:20] = 255
        self.seen: np.ndarray | None = None

    def decode(self, i: int) -> Image.Image:
        """Read a frame from its file."""
        with Image.open(self.files[i % FRAMES]) as image:
            return image.convert("RGB")

    def preprocess(self, image: Image.Image) -> np.ndarray:
        """Make it an input of the net."""
        return camvid.preprocess(self, image)  # type: ignore[arg-type]  # needs only the mean

    mean = camvid.mean

    def feed(self, data: np.ndarray) -> None:
        """Copy it into the net."""
        feed_net(self.net, data)

    def forward(self, _: None) -> np.ndarray:
        """Run the net: what the rest is compared with."""
        return self.net.forward()["score"][0]

    def label_map(self, scores: np.ndarray) -> np.ndarray:
        """Choose the best class of each pixel."""
        return label_map(scores)

    def change(self, label: np.ndarray) -> np.ndarray:
        """Measure how many pixels changed, as the adaptive clock does."""
        fires(label, self.seen, 0.1)
        self.seen = label
        return label

    def score(self, label: np.ndarray) -> None:
        """Count right and wrong pixels."""
        self.scores.add(label, self.truth)


ORDER = ("decode", "preprocess", "feed", "forward", "label_map", "change", "score")


def write_frames(folder: Path) -> list[Path]:
    """Write frames as PNG files: smooth shapes under noise, about as large as photographs."""
    rng, files = np.random.default_rng(0), []
    for i in range(FRAMES):
        small = Image.fromarray(rng.integers(0, 256, (9, 12, 3)).astype(np.uint8))
        smooth = np.asarray(small.resize(SIZE[::-1], Image.Resampling.BICUBIC), np.float32)
        noisy = smooth + rng.normal(0, 4, (*SIZE, 1))
        files.append(folder / f"{i}.png")
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(files[-1])
    return files


def measure_loop(repeats: int, threads: int) -> dict[str, Any]:
    """Time each part of the loop, and the whole of it.

    Parameters
    ----------
    repeats : int
        Frames.
    threads : int
        Threads of the net.

    Returns
    -------
    dict
        "seconds": median of each part; "around": sum of all parts but decode and forward, as a
        share of forward; "decode": that of decode; "loop" and "ahead": seconds of a frame in the
        whole loop, one thing after another, and with frames decoded ahead by a thread.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with tempfile.TemporaryDirectory() as folder:
            parts = Parts(Path(folder))
            seconds: dict[str, list[float]] = {name: [] for name in ORDER}
            whole: dict[str, list[float]] = {"loop": [], "ahead": []}
            _run(parts, FRAMES, {name: [] for name in ORDER}, parts.decode)  # warms up
            with ThreadPoolExecutor(1) as pool:
                for _ in range(max(1, repeats // FRAMES)):
                    start = perf_counter()
                    _run(parts, FRAMES, seconds, parts.decode)
                    whole["loop"].append((perf_counter() - start) / FRAMES)
                    start = perf_counter()
                    _run(parts, FRAMES, None, _ahead(pool, parts.decode))
                    whole["ahead"].append((perf_counter() - start) / FRAMES)
    finally:
        torch.set_num_threads(before)
    parts_of = {name: median(times) for name, times in seconds.items()}
    around = sum(parts_of[name] for name in ORDER if name not in ("decode", "forward"))
    return {
        "seconds": parts_of,
        "around": around / parts_of["forward"],
        "decode": parts_of["decode"] / parts_of["forward"],
        **{name: median(times) for name, times in whole.items()},
    }


def _run(parts, frames, seconds, decode):
    """Run the loop on some frames; note the seconds of each part."""
    for i in range(frames):
        value: Any = i
        for name in ORDER:
            call = decode if name == "decode" else getattr(parts, name)
            start = perf_counter()
            value = call(value)
            if seconds is not None:
                seconds[name].append(perf_counter() - start)


def _ahead(pool, decode):
    """Return `decode` that has a thread read the next frame meanwhile."""
    waiting = {0: pool.submit(decode, 0)}

    def read(i):
        waiting[i + 1] = pool.submit(decode, i + 1)
        return waiting.pop(i).result()

    return read


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=80, help="frames")
    args = parser.parse_args()
    result = measure_loop(args.repeats, len(os.sched_getaffinity(0)))
    forward = result["seconds"]["forward"]
    for name, seconds in result["seconds"].items():
        print(f"{name:12}{1000 * seconds:8.2f} ms{seconds / forward:8.1%} of forward")
    print(f"all but decode and forward: {result['around']:.1%} of forward")
    for name, how in (("loop", "one after another"), ("ahead", "frames decoded ahead")):
        print(f"a frame, {how}: {result[name] / forward:.3f} times forward")


if __name__ == "__main__":
    main()
