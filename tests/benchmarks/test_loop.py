"""The loop around a net: it does what an experiment does, and shares are of forward."""

import numpy as np
import pytest

from benchmarks import loop
from lib.score_util import fast_hist


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(loop, "SIZE", (60, 80))
    monkeypatch.setattr(loop, "FRAMES", 3)


def test_parts_in_order_are_an_experiment(small, tmp_path):
    parts = loop.Parts(tmp_path)
    outputs = []
    change = parts.change
    parts.change = lambda label: outputs.append(label.copy()) or change(label)
    seconds = {name: [] for name in loop.ORDER}
    loop._run(parts, 3, seconds, parts.decode)
    assert {len(times) for times in seconds.values()} == {3}
    assert parts.scores.hist.sum() == 3 * 40 * 80  # the first 20 rows are not labelled
    expected = sum(fast_hist(parts.truth, label, loop.CLASSES) for label in outputs)
    np.testing.assert_array_equal(parts.scores.hist, expected)
    data = parts.preprocess(parts.decode(2))
    np.testing.assert_array_equal(parts.net.blobs["data"].data[0], data)


def test_frames_read_ahead_are_the_same(small, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    parts = loop.Parts(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        read = loop._ahead(pool, parts.decode)
        for i in range(4):
            np.testing.assert_array_equal(np.asarray(read(i)), np.asarray(parts.decode(i)))


def test_shares(small):
    found = loop.measure_loop(6, 1)
    seconds = found["seconds"]
    around = sum(seconds[name] for name in seconds if name not in ("decode", "forward"))
    assert list(seconds) == list(loop.ORDER)
    assert found["around"] == pytest.approx(around / seconds["forward"])
    assert found["loop"] > seconds["forward"] and found["ahead"] > 0


def test_command_line(small, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["loop", "--repeats", "3"])
    loop.main()
    out = capsys.readouterr().out
    assert "label_map" in out and "frames decoded ahead" in out
