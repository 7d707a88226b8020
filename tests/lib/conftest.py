"""A small net in NumPy whose output tells which frame each stage last saw."""

import os
import traceback
from types import SimpleNamespace

import numpy as np
import pytest

from tests.lib.video.cards import card  # noqa: F401 a fixture

STAGES = {
    "shallow": ("conv1_1", "score_pool3"),
    "middle": ("conv4_1", "score_pool4"),
    "deep": ("conv5_1", "upscore2"),
    "fuse": ("score_pool4c", "score"),
}
LAYERS = ["data", *(layer for stage in STAGES.values() for layer in stage)]
CLASSES = 256


class FakeBlob:
    def __init__(self, *shape):
        self.data = np.zeros(shape, np.float32)

    def reshape(self, *shape):
        if shape != self.data.shape:
            self.data = np.zeros(shape, np.float32)

    @property
    def shape(self):
        return self.data.shape


class FakeNet:
    """A net of four stages for frames 0..3, each filled with its number plus 1.

    `score` is 1 at the class a + 4 b + 16 c: shallow, middle and deep stage computed from the
    frames a, b, c. score_pool3, score_pool4 and upscore2 are the frame itself, so their best class
    is its brightest channel.
    """

    def __init__(self):
        self.blobs = {
            name: FakeBlob(1, 3, 1, 1)
            for name in ("data", "score_pool3", "score_pool4", "upscore2")
        }
        self.blobs["score"] = FakeBlob(1, CLASSES, 1, 1)
        self._layer_names = LAYERS
        self.top_names = {layer: [layer] for layer in LAYERS}
        self.bottom_names = {
            layer: [before] for before, layer in zip(LAYERS, LAYERS[1:], strict=False)
        }
        self.layers = [SimpleNamespace(type="ReLU") for _ in LAYERS]
        self.params = {}
        self.ranges = []
        self.saw = {}

    def forward(self, start=None, end=None):
        self.ranges.append((start, end))
        first = LAYERS.index(start) if start else 0
        last = LAYERS.index(end) if end else len(LAYERS) - 1
        for name, (begin, finish) in STAGES.items():
            if first <= LAYERS.index(begin) and LAYERS.index(finish) <= last:
                getattr(self, name)()

    def shallow(self):
        self.see("shallow", self.blobs["data"].data.copy(), "score_pool3")

    def middle(self):
        self.see("middle", self.saw["shallow"], "score_pool4")

    def deep(self):
        self.see("deep", self.saw["middle"], "upscore2")

    def see(self, stage, frame, blob):
        self.saw[stage] = frame
        self.blobs[blob].reshape(*frame.shape)
        self.blobs[blob].data[...] = frame

    def fuse(self):
        height, width = self.saw["shallow"].shape[2:]
        a, b, c = (int(self.saw[name].max()) - 1 for name in ("shallow", "middle", "deep"))
        self.blobs["score"].reshape(1, CLASSES, height, width)
        self.blobs["score"].data[...] = 0
        self.blobs["score"].data[0, a + 4 * b + 16 * c] = 1


def frame(number, shape=(3, 2, 3)):
    return np.full(shape, number + 1, np.float32)


def seen_by_stages(label):
    """Decode a label map of FakeNet: the frames of (shallow, middle, deep)."""
    value = int(label[0, 0])
    return value % 4, value // 4 % 4, value // 16


@pytest.fixture
def fake_net():
    return FakeNet()


@pytest.fixture
def fake():
    """The helpers of this file: frame(number, shape), seen_by_stages(label), stages, FakeNet."""
    return SimpleNamespace(frame=frame, seen_by_stages=seen_by_stages, stages=STAGES, net=FakeNet)


STEPS = ("open", "write", "fsync", "close", "replace", "unlink")  # of os


@pytest.fixture
def in_child():
    """in_child(function) calls it in a forked child and returns its exit status."""

    def in_child(function):
        child = os.fork()
        if not child:
            try:
                function()
                os._exit(0)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    return in_child


@pytest.fixture
def killed_at(in_child):
    """killed_at(n, write) calls write() in a child that ends at its n-th step of os; True if it
    ended before that.

    A write stores half of its bytes first. Numbers are even before a step, odd after it.
    """

    def killed_at(where, write):
        left = where

        def stopping(step):
            def stepped(*args, **options):
                nonlocal left
                if left == 0:
                    if step is write_:
                        step(args[0], args[1][: len(args[1]) // 2])
                    os._exit(9)
                left -= 1
                done = step(*args, **options)
                if left == 0:
                    os._exit(9)
                left -= 1
                return done

            return stepped

        write_ = os.write

        def dying():
            for name in STEPS:
                setattr(os, name, stopping(getattr(os, name)))
            write()

        status = in_child(dying)
        assert status in (0, 9)
        return status == 0

    return killed_at
