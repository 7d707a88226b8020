"""The lines of a training: seen on stderr with no call, and what debug_info adds to them."""

import logging
import re
import subprocess
import sys

import numpy as np
import pytest

import caffe
from tests.caffe.training.small_solver import BASE, NET

LINE = r"I\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} iteration %d, loss [\d.]+, lr 0.1\n"


@pytest.fixture(autouse=True)
def logger():
    logger = logging.getLogger("caffe")
    level, handlers = logger.level, list(logger.handlers)
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.fixture
def application(tmp_path):
    """Return application(handler), which adds a handler to the root logger until the test ends."""
    root, added = logging.getLogger(), []

    def add(handler):
        root.addHandler(handler)
        added.append(handler)

    yield add
    for handler in added:
        root.removeHandler(handler)
        handler.close()


def test_lines_on_stderr_with_no_call(make_solver, capsys):
    make_solver(BASE + "display: 2").step(5)
    out, err = capsys.readouterr()
    assert re.fullmatch("".join(LINE % i for i in (0, 2, 4)), err) and not out


def test_in_a_process_of_its_own(write, tmp_path):
    """Where no test has set up logging."""
    solver = write(f'net: "{write(NET)}" {BASE} display: 1')
    script = f"import caffe; caffe.get_solver({str(solver)!r}).step(2); caffe.log('mine')"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert re.fullmatch(LINE % 0 + LINE % 1 + r"I[\d :,-]+ mine\n", run.stderr) and not run.stdout


def test_a_notebook_can_quiet_them(make_solver, capsys, logger):
    logger.setLevel(logging.WARNING)
    make_solver(BASE + "display: 1").step(2)
    assert capsys.readouterr() == ("", "")
    logger.warning("seen")
    assert capsys.readouterr().err.endswith(" seen\n")


def test_no_line_twice_after_init_log(make_solver, capsys):
    for _ in range(2):
        caffe.init_log()
    make_solver(BASE + "display: 1").step(1)
    assert re.fullmatch(LINE % 0, capsys.readouterr().err)
    caffe.init_log(1)
    make_solver(BASE + "display: 1").step(1)
    assert not capsys.readouterr().err
    caffe.init_log(0, stderr=False)
    make_solver(BASE + "display: 1").step(1)
    assert not capsys.readouterr().err


@pytest.mark.parametrize("asked", [False, True])
def test_no_line_twice_beside_a_handler_of_the_application(make_solver, capsys, application, asked):
    if asked:
        caffe.init_log()
    application(logging.StreamHandler(sys.stderr))  # as basicConfig() adds, before or after import
    make_solver(BASE + "display: 1").step(1)
    assert re.fullmatch(r"iteration 0, loss [\d.]+, lr 0.1\n", capsys.readouterr().err)


@pytest.mark.parametrize("asked", [False, True])
def test_an_application_that_logs_to_a_file(make_solver, capsys, application, tmp_path, asked):
    if asked:
        caffe.init_log()
    application(logging.FileHandler(tmp_path / "log"))
    make_solver(BASE + "display: 1").step(1)
    assert re.fullmatch(r"iteration 0, loss [\d.]+, lr 0.1\n", (tmp_path / "log").read_text())
    assert bool(capsys.readouterr().err) == asked


def test_no_stderr_at_all(make_solver, monkeypatch):
    """As under pythonw, or a service."""
    monkeypatch.setattr(sys, "stderr", None)
    make_solver(BASE + "display: 1").step(1)


def test_records_reach_the_handlers_of_tests(make_solver, caplog):
    make_solver(BASE + "display: 1").step(1)
    assert [r.name for r in caplog.records] == ["caffe"]


TWO_LOSSES = NET + (
    'layer { name: "aux" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "aux" '
    "loss_weight: 0.5 }\n"
    'layer { name: "accuracy" type: "Accuracy" bottom: "score" bottom: "label" top: "accuracy" }\n'
    'layer { name: "map" type: "Tile" bottom: "score" top: "map" tile_param { tiles: 20 } }\n'
)


def test_all_outputs_of_a_net_with_several(make_solver, caplog):
    solver = make_solver(BASE + "display: 1", TWO_LOSSES)
    solver.step(1)
    first, *others = caplog.messages
    values = {name: solver.net.blobs[name].data.copy() for name in solver.net.outputs}
    assert list(values) == ["accuracy", "aux", "loss", "map"]
    assert first.startswith(f"iteration 0, loss {1.5 * values['loss']:.5g}, lr")
    for name, line in zip(values, others, strict=True):
        start, shown = line.split(" = ")
        assert start == f"iteration 0, train {name}"
        if name == "map":
            mean = values["map"].astype(np.float64).mean()
            assert shown == f"mean {mean:.6g} over shape (4, 60, 1, 1)"
        else:
            assert float(shown) == pytest.approx(float(values[name]), rel=1e-6)


def test_results_of_several_test_nets(make_solver, caplog):
    net = NET + (
        'layer { name: "accuracy" type: "Accuracy" bottom: "score" bottom: "label" '
        'top: "accuracy" top: "classes" include { phase: TEST } }\n'
    )
    solver = make_solver(BASE + "test_iter: 2 test_iter: 1 test_interval: 1", net)
    solver.test_all()
    assert len(caplog.messages) == 6 and not any("\n" in m for m in caplog.messages)
    for number, messages in enumerate((caplog.messages[:3], caplog.messages[3:])):
        for name, message in zip(("accuracy", "classes", "loss"), messages, strict=True):
            assert message.startswith(f"iteration 0, test net {number}, test {name} = ")
    classes = solver.test_nets[1].blobs["classes"].data
    shown = caplog.messages[4].split("= [")[1].split("]")[0].split()
    np.testing.assert_allclose(np.array(shown, float), classes)


# debug_info

RELU = NET.replace(
    'layer { name: "score"',
    'layer { name: "relu" type: "ReLU" bottom: "low" top: "low" }\nlayer { name: "score"',
)


def numbers(messages):
    """Return {what a debug line is about: [its numbers]}."""
    lines = [re.fullmatch(r" {4}(.*): (mean.*)", m) for m in messages]
    return {m[1]: [float(n) for n in re.findall(r"\| ([\d.e+-]+)", m[2])] for m in lines if m}


def mean(array):
    return np.abs(array.astype(np.float64)).mean()


def test_debug_info(make_solver, caplog):
    solver = make_solver(BASE + "display: 1 debug_info: true momentum: 0.9", RELU)
    plain = make_solver(BASE + "momentum: 0.9", RELU)
    before = [b.data.copy() for blobs in plain.net.params.values() for b in blobs]
    net, raw, diffs = plain.net, [], []
    net.after_forward(lambda i: i == 2 and raw.append(net.blobs["low"].data.copy()))
    net.after_backward(lambda i: i == 4 and diffs.append(net.blobs["low"].diff.copy()))
    gradients = []
    plain.add_callback(
        lambda: None,
        lambda: gradients.extend(b.diff.copy() for bs in net.params.values() for b in bs),
    )
    solver.step(1)
    plain.step(1)
    got = numbers(caplog.messages)
    x, score = net.blobs["data"].data, net.blobs["score"]
    wanted = {
        "forward, layer data, top data": [mean(x)],
        "forward, layer label, top label": [3 / 4],
        "forward, layer low, top low": [mean(raw[0])],
        "forward, layer low, weights 0": [mean(before[0])],
        "forward, layer low, weights 1": [0],
        "forward, layer relu, top low": [mean(np.maximum(raw[0], 0))],  # in place: another value
        "forward, layer score, top score": [mean(score.data)],
        "forward, layer score, weights 0": [mean(before[2])],
        "forward, layer score, weights 1": [0],
        "forward, layer loss, top loss": [float(net.blobs["loss"].data)],
        "backward, layer loss, bottom score": [mean(score.diff)],
        "backward, layer score, bottom low": [mean(diffs[0])],
        "backward, layer score, weights 0": [mean(gradients[2])],
        "backward, layer relu, bottom low": [mean(diffs[0] * (raw[0] > 0))],
        "backward, layer low, weights 0": [mean(gradients[0])],
        "backward, layer low, weights 1": [mean(gradients[1])],
    }
    updates = [(n, k, b) for n, bs in net.params.items() for k, b in enumerate(bs)]
    for name, k, blob in updates:
        wanted[f"update, layer {name}, weights {k}"] = [mean(blob.data), mean(blob.diff)]
    assert list(got) == list(wanted)
    for what, values in wanted.items():
        assert got[what] == pytest.approx(values, rel=2e-5, abs=1e-12), what
    (norms,) = [m for m in caplog.messages if "all weights" in m]
    together, slopes = (
        np.concatenate([a.ravel() for a in arrays]) for arrays in (before, gradients)
    )
    assert [float(n) for n in re.findall(r" ([\d.]+)[,;]?(?= |$)", norms.split(":")[1])] == (
        pytest.approx(
            [
                np.abs(together).sum(),
                np.abs(slopes).sum(),
                np.linalg.norm(together),
                np.linalg.norm(slopes),
            ],
            rel=1e-4,
        )
    )


def test_debug_info_is_shown_where_the_loss_is(make_solver, caplog):
    solver = make_solver(BASE + "display: 2 debug_info: true iter_size: 2")
    solver.step(1)
    assert sum("forward, layer low, top" in m for m in caplog.messages) == 2  # one each
    caplog.clear()
    solver.step(1)
    assert not caplog.messages


def test_debug_info_of_a_net_without_a_solver(write, caplog):
    net = caffe.Net(write(f"debug_info: true force_backward: true {RELU}"), caffe.TRAIN)
    quiet = caffe.Net(write(RELU), caffe.TRAIN)
    assert not caplog.messages
    quiet.forward()
    assert not caplog.messages
    net.forward(start="low", end="relu")
    weights = net.params["low"][0].data
    assert list(numbers(caplog.messages)) == [
        "forward, layer low, top low",
        "forward, layer low, weights 0",
        "forward, layer low, weights 1",
        "forward, layer relu, top low",
    ]
    assert numbers(caplog.messages)["forward, layer low, weights 0"] == [
        pytest.approx(mean(weights), rel=2e-5)
    ]


def test_debug_info_of_test_nets(make_solver, caplog):
    """The solver's setting replaces that of the prototxt, as in BVLC: its nets are of one file."""
    text = BASE + "test_iter: 2 test_interval: 1 test_initialization: false"
    for debug, lines in (("true", 2), ("false", 0)):
        solver = make_solver(f"{text} debug_info: {debug}", "debug_info: true\n" + NET)
        caplog.clear()
        solver.test_all()
        assert sum("forward, layer low, top low" in m for m in caplog.messages) == lines


def test_snapshots_and_restores(make_solver, caplog):
    solver = make_solver(BASE)
    solver.step(2)
    assert not caplog.messages
    model, state = solver.snapshot()
    solver.restore(state)
    assert caplog.messages == [
        f"iteration 2, snapshot {model} and snap_iter_2.solverstate",
        f"iteration 2, restored from {state}",
    ]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_debug_info_changes_no_value(make_solver, precision):
    caffe.set_precision(precision)
    texts = (BASE + "momentum: 0.9 display: 1 debug_info: true", BASE + "momentum: 0.9")
    loud, plain = (make_solver(text, RELU) for text in texts)
    for solver in (loud, plain):
        solver.step(3)
    for mine, theirs in zip(loud.net._learned, plain.net._learned, strict=True):
        np.testing.assert_array_equal(mine.blob.data, theirs.blob.data)
