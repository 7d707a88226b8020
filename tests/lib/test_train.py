from types import SimpleNamespace

import numpy as np
import pytest

from lib.train import batches, drop_vanished, feed_batch, net_loss, train


class Blob:
    def __init__(self, *shape):
        self.reshape(*shape)

    def reshape(self, *shape):
        self.data = np.zeros(shape, np.float32)


class MeanSolver:
    """Learns the mean of `data`: one gradient step on (weight - mean)**2 per step."""

    def __init__(self, rate=0.2):
        self.rate, self.weight, self.snapshots, self.steps = rate, 0.0, [], 0
        blobs = {name: Blob(1) for name in ("data", "label", "loss")}
        self.net = SimpleNamespace(blobs=blobs, blob_loss_weights={"data": 0, "loss": 2})

    def step(self, n):
        assert n == 1
        self.steps += 1
        error = self.weight - self.net.blobs["data"].data.mean()
        self.net.blobs["loss"].data[...] = error**2
        self.weight -= self.rate * 2 * error

    def snapshot(self):
        self.snapshots.append(self.steps)


def sample(rng):
    return np.full((3, 4, 5), 7, np.float32), rng.integers(0, 3, (1, 4, 5)).astype(np.uint8)


def test_weights_that_vanished_are_dropped():
    params = {"conv": [Blob(2, 2), Blob(2)], "fc": [Blob(1, 2)]}
    for blob, values in zip(
        sum(params.values(), []),
        ([[1, -1e-19], [1e-30, 0]], [-1e-45, 2], [[-3e-21, 0.5]]),
        strict=True,
    ):
        blob.data[...] = values
    assert drop_vanished(SimpleNamespace(params=params)) == 3 / 8
    assert params["conv"][0].data.tolist() == [[1, np.float32(-1e-19)], [0, 0]]
    assert params["conv"][1].data.tolist() == [0, 2] and params["fc"][0].data.tolist() == [[0, 0.5]]


def test_batches_stack_samples():
    data, label = next(batches(sample, np.random.default_rng(0), 2))
    assert data.shape == (2, 3, 4, 5) and label.shape == (2, 1, 4, 5)
    assert (label[0] != label[1]).any()


def test_training_steps_feed_and_report_loss(capsys):
    solver, seen = MeanSolver(), []
    losses = train(
        solver,
        batches(sample, np.random.default_rng(0)),
        30,
        snapshot=12,
        after=lambda iteration, loss: seen.append((iteration, loss)),
    )
    assert losses[0] == 2 * 49 and losses[-1] < 1e-6 and (np.diff(losses) <= 0).all()
    assert solver.weight == pytest.approx(7, abs=1e-4)
    assert solver.snapshots == [12, 24, 30]
    assert [i for i, _ in seen] == list(range(1, 31)) and seen[4][1] == losses[4]
    assert "loss=" in capsys.readouterr().err


def test_silent(capsys):
    train(MeanSolver(), batches(sample, np.random.default_rng(0)), 2, silent=True)
    assert capsys.readouterr().err == ""


def test_diverged_loss_is_an_error():
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="lower base_lr"):
        train(MeanSolver(rate=1e3), batches(sample, np.random.default_rng(0)), 200, silent=True)


def test_batches_that_run_out():
    few = iter([(np.zeros((1, 3, 4, 5)), np.zeros((1, 1, 4, 5)))])
    with pytest.raises(ValueError, match="iteration 2 of 5"):
        train(MeanSolver(), few, 5, silent=True)


def test_missing_blob_is_named():
    net = SimpleNamespace(blobs={"data": Blob(1)})
    with pytest.raises(ValueError, match="'label'"):
        feed_batch(net, np.zeros((1, 3, 4, 5)), np.zeros((1, 1, 4, 5)))


def test_net_loss_weighs_blobs():
    blobs = {"a": Blob(1), "b": Blob(1)}
    blobs["a"].data[:], blobs["b"].data[:] = 3, 5
    assert net_loss(SimpleNamespace(blobs=blobs, blob_loss_weights={"a": 1, "b": 0.5})) == 5.5


@pytest.mark.parametrize(
    "given, fix",
    [
        ({"iterations": 2.5}, "iterations is 2.5: give a whole number of at least 0"),
        ({"iterations": -1}, "iterations is -1"),
        ({"display": 0}, "display is 0: give a whole number of at least 1"),
        ({"snapshot": -1}, "snapshot is -1"),
        ({"batches": {"data": 1}}, r"batches are a dict: give an iterator over \(data, label\)"),
        ({"batches": np.zeros(3)}, "batches are a ndarray: give an iterator"),
        ({"batches": 7}, "batches are a int: give an iterator"),
    ],
)
def test_what_training_cannot_mean_is_refused_before_a_step(given, fix):
    solver = MeanSolver()
    given = {"batches": batches(sample, np.random.default_rng(0)), "iterations": 3, **given}
    with pytest.raises(ValueError, match=fix):
        train(solver, **given, silent=True)
    assert solver.steps == 0


def test_no_iteration_at_all():
    assert train(MeanSolver(), iter([]), 0, silent=True).shape == (0,)


def test_a_list_of_batches_is_an_iterator_over_them():
    pairs = [(np.full((1, 3, 4, 5), 7), np.zeros((1, 1, 4, 5)))] * 2
    assert train(MeanSolver(), pairs, 2, silent=True)[0] == 2 * 49


@pytest.mark.parametrize("snapshot, last", [(0, "none"), (2, "that of iteration 4")])
def test_a_loss_that_is_not_finite_names_the_last_snapshot(snapshot, last):
    """The loss is nan at iteration 5: a snapshot of it would be worthless."""
    pairs = [np.full((1, 3, 4, 5), np.nan if i == 5 else 7.0) for i in range(1, 9)]
    solver = MeanSolver()
    with pytest.raises(ValueError, match=f"nan at iteration 5: .* the last snapshot is {last}$"):
        train(solver, [(p, np.zeros((1, 1, 4, 5))) for p in pairs], 8, snapshot=snapshot)
    assert solver.snapshots == ([2, 4] if snapshot else [])


@pytest.mark.parametrize(
    "data, label", [((3, 4, 5), (4, 5)), ((1, 3, 4, 5), (4, 5)), ((2, 3, 4, 5), (1, 1, 4, 5))]
)
def test_batches_without_an_axis_of_samples(data, label):
    with pytest.raises(ValueError, match="N x 1 x H x W, frame\\[np.newaxis\\] for a single"):
        train(MeanSolver(), [(np.zeros(data), np.zeros(label))], 1, silent=True)


@pytest.mark.parametrize(
    "drawn, fix",
    [
        (np.zeros((2, 3, 4, 5)), r"a sample is a ndarray: sample\(rng\) returns a frame"),
        ((np.zeros((3, 4, 5)),), "a sample is a tuple"),
        ((np.zeros((4, 5, 3)), np.zeros((4, 5), np.uint8)), r"frame of the shape \(4, 5, 3\)"),
        ((np.zeros((3, 4, 5), np.uint8), np.zeros((4, 5), np.uint8)), "uint8.*preprocess"),
    ],
)
def test_samples_that_are_none(drawn, fix):
    with pytest.raises(ValueError, match=fix):
        next(batches(lambda rng: drawn, np.random.default_rng(0)))


def test_samples_of_two_sizes_make_no_batch():
    sizes = iter([(4, 5), (6, 5)])

    def sample(rng):
        size = next(sizes)
        return np.zeros((3, *size), np.float32), np.zeros(size, np.uint8)

    with pytest.raises(ValueError, match=r"\(3, 4, 5\), \(3, 6, 5\) make no batch.*crop"):
        next(batches(sample, np.random.default_rng(0), 2))


@pytest.mark.parametrize("given", [(sample, 0), ("sample", np.random.default_rng(0))])
def test_what_draws_no_samples(given):
    with pytest.raises(ValueError, match=r"give a function of rng .*default_rng\(seed\)"):
        next(batches(*given))


@pytest.mark.parametrize("below", [-1, np.nan, np.inf])
def test_magnitudes_that_are_none(below):
    net = SimpleNamespace(params={"a": [Blob(2)]})
    with pytest.raises(ValueError, match="give a magnitude of at least 0"):
        drop_vanished(net, below)
    with pytest.raises(ValueError, match="the net has no weights"):
        drop_vanished(SimpleNamespace(params={}))
