"""Numbers that no training can mean are refused by name; what Caffe goes on with is a warning."""

import logging
import re

import pytest

import caffe
from caffe.definition.prototxt import read_solver
from caffe.errors import SolverError
from caffe.proto import caffe_pb2
from caffe.training import lr_policy, nets
from caffe.training.parameters import REALS
from tests.caffe.training.small_solver import BASE, NET, SETTINGS

NOT_FINITE = ("nan", "-nan", "inf", "-inf", "1e39", "-1e39")


def test_all_real_fields_are_known():
    """A field that is added to SolverParameter is checked as well."""
    assert set(REALS) == set(
        "base_lr gamma power momentum momentum2 delta rms_decay weight_decay clip_gradients".split()
    )


@pytest.mark.parametrize("field", REALS)
@pytest.mark.parametrize("value", NOT_FINITE)
def test_values_that_are_not_finite(make_solver, field, value):
    with pytest.raises(SolverError, match=f"prototxt: {field} is -?(nan|inf): give a finite"):
        make_solver(f'lr_policy: "fixed" {field}: {value}')


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("field", ["base_lr", "weight_decay", "delta"])
def test_in_every_solver(make_solver, kind, field):
    text = f'lr_policy: "fixed" type: "{kind}" {field}: nan '
    with pytest.raises(SolverError, match=f"{field} is nan"):
        make_solver(text)


@pytest.mark.parametrize(
    "text, words",
    [
        ('type: "Adam" momentum: 1', r"momentum is 1, must be in \[0, 1\) for Adam"),
        ('type: "Adam" momentum: -1', "momentum is -1"),
        ('type: "Adam" momentum2: 1.5', "momentum2 is 1.5"),
        ('type: "AdaDelta" momentum: 1.5', "momentum is 1.5"),
        ('type: "AdaDelta" momentum: -0.5', "momentum is -0.5"),
        ('type: "RMSProp" rms_decay: -0.1', "rms_decay is -0.1"),
        ('type: "AdaGrad" delta: -1', "delta is -1, must be 0 or more for AdaGrad"),
        ("test_iter: -1 test_interval: 1", "test_iter is -1"),
        ("max_iter: -1", "max_iter is -1, must be 0 or more"),
        ("display: -1", "display is -1"),
        ("snapshot: -1", "snapshot is -1"),
        ("test_interval: -1", "test_interval is -1"),
    ],
)
def test_values_without_a_meaning(make_solver, text, words):
    with pytest.raises(SolverError, match=words):
        make_solver(BASE + text)


@pytest.mark.parametrize("field", ["lr_mult", "decay_mult"])
def test_multipliers_of_the_net(make_solver, field):
    net = NET.replace("param { lr_mult: 0.5 }", f"param {{ {field}: inf }}")
    with pytest.raises(SolverError, match=f"layer 'score' of the net to train has {field} inf"):
        make_solver(BASE, net)


@pytest.mark.parametrize(
    "text, words",
    [
        ('base_lr: -0.1 lr_policy: "fixed"', "a negative rate makes the loss larger"),
        ('lr_policy: "fixed"', "base_lr is missing"),
        (BASE + "weight_decay: -0.1", "makes the weights grow"),
        (BASE + "momentum: 1", r"outside of \[0, 1\)"),
        (BASE + "clip_gradients: 0", "makes all gradients 0"),
        (BASE + "debug_info: true", "set display"),
        ('base_lr: 1 lr_policy: "step" stepsize: 5', 'lr_policy "step" without gamma: gamma is 0'),
        ('base_lr: 1 lr_policy: "inv" gamma: 1', 'lr_policy "inv" without power'),
        ('base_lr: 1 lr_policy: "multistep" gamma: 1', "the rate does not change"),
        (
            'base_lr: 1 lr_policy: "multistep" gamma: 1 stepvalue: 9 stepvalue: 5',
            r"stepvalue \[9, 5\] is not in order",
        ),
    ],
)
def test_doubts_are_warnings(make_solver, caplog, text, words):
    make_solver(text)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert re.search(words, record.getMessage())


def test_sound_parameters_are_silent(make_solver, caplog):
    for kind, settings in SETTINGS.items():
        text = " ".join(f"{k}: {v}" for k, v in settings.items())
        make_solver(BASE + f'type: "{kind}" {text}')
    make_solver('base_lr: 0.1 lr_policy: "inv" gamma: 1e-4 power: 0.75 max_iter: 9 momentum: 0.9')
    assert not caplog.messages


@pytest.mark.parametrize(
    "p, iteration",
    [
        # 1 + gamma i is below 0 from iteration 10 on: 0.1 is more than that in float32
        (dict(lr_policy="inv", gamma=-0.1, power=0.75, max_iter=100), 10),
        (dict(lr_policy="inv", gamma=-0.3, power=0.5, max_iter=100), 4),
        # it is 0 at iteration 4 only, and real before and after
        (dict(lr_policy="inv", gamma=-0.25, power=1, max_iter=100), 4),
        (dict(lr_policy="exp", gamma=10, max_iter=100), 99),
        (dict(lr_policy="exp", gamma=-10, max_iter=100), 99),
        (dict(lr_policy="step", gamma=1e30, stepsize=10, max_iter=100), 99),
        (dict(lr_policy="multistep", gamma=1e30, stepvalue=[1, 2], max_iter=100), 99),
    ],
)
def test_schedules_that_leave_the_real_numbers(p, iteration):
    param = caffe_pb2.SolverParameter(base_lr=1, **p)
    with pytest.raises(SolverError, match=f"rate of iteration {iteration} is not a finite number"):
        lr_policy.check(param)
    param.max_iter = 2  # where the training ends before
    lr_policy.check(param)
    with pytest.raises(SolverError, match=f"rate of iteration {iteration} "):
        lr_policy.rate(param, iteration)


def test_a_schedule_that_ends_is_refused_with_the_solver(make_solver):
    with pytest.raises(SolverError, match="rate of iteration 999 .* base_lr 1, gamma 10 and"):
        make_solver('base_lr: 1 lr_policy: "exp" gamma: 10 max_iter: 1000')


def test_rates_too_large_for_a_weight():
    param = caffe_pb2.SolverParameter(base_lr=3e38, lr_policy="exp", gamma=2)
    assert lr_policy.rate(param, 0) == pytest.approx(3e38)
    with pytest.raises(SolverError, match="not a finite number"):
        lr_policy.rate(param, 1)


@pytest.mark.parametrize("n", [-1, 0.5, float("nan"), float("inf")])
def test_a_number_of_iterations(make_solver, n):
    solver = make_solver(BASE)
    with pytest.raises(SolverError, match=r"step\("):
        solver.step(n)
    solver.step(0)
    solver.step(2.0)
    assert solver.iter == 2


def test_solving_beyond_max_iter(make_solver, caplog):
    solver = make_solver(BASE + "max_iter: 1 snapshot_after_train: false")
    solver.step(3)
    solver.solve()
    assert "iteration 3 is beyond max_iter 1: nothing is left to train" in caplog.text
    assert solver.iter == 3


# Nets and weights of a solver


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Return a working folder and another one, for solvers."""
    for name in ("here", "solvers"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here", tmp_path / "solvers"


def solver_in(folder, text):
    (folder / "s.prototxt").write_text(BASE + text)
    return caffe.get_solver(folder / "s.prototxt")


@pytest.mark.parametrize("field", ["net", "train_net"])
def test_a_net_beside_its_solver(folders, field):
    here, solvers = folders
    (solvers / "n.prototxt").write_text(f'name: "beside" {NET}')
    assert solver_in(solvers, f'{field}: "n.prototxt"').net.name == "beside"
    assert solver_in(here, f'{field}: "../solvers/n.prototxt"').net.name == "beside"
    (here / "n.prototxt").write_text(f'name: "here" {NET}')  # comes first, as in Caffe
    assert solver_in(solvers, f'{field}: "n.prototxt"').net.name == "here"
    absolute = solvers / "n.prototxt"
    assert solver_in(solvers, f'{field}: "{absolute}"').net.name == "beside"


def test_a_test_net_and_weights_beside_the_solver(folders):
    here, solvers = folders
    (solvers / "n.prototxt").write_text(f'name: "beside" {NET}')
    text = 'train_net: "n.prototxt" test_net: "n.prototxt" test_iter: 1 test_interval: 9 '
    solver = solver_in(solvers, text)
    assert [net.name for net in solver.test_nets] == ["beside"]
    solver.net.params["low"][0].data[...] = 7
    solver.net.save(solvers / "w.caffemodel")
    solver = solver_in(solvers, text + 'weights: "w.caffemodel"')
    assert (solver.net.params["low"][0].data == 7).all()
    assert solver.snapshot()[0] == str(solvers / "s_iter_0.caffemodel")
    solver.param.snapshot_prefix = "own"
    solver.snapshot()
    assert (here / "own_iter_0.solverstate").exists()  # as in Caffe


def test_a_net_named_from_the_root_of_its_repository(folders, root):
    """From any working folder, as examples/mnist/lenet_solver.prototxt of Caffe names its net."""
    here, solvers = folders
    own = solvers / "examples/mnist/examples"
    own.mkdir(parents=True)
    (solvers / "examples/mnist/n.prototxt").write_text(f'name: "root" {NET}')
    for folder in (own, own.parent, own.parent.parent):
        solver = solver_in(folder, 'net: "examples/mnist/n.prototxt"')
        assert solver.net.name == "root"
    for name in ("examples/other/n.prototxt", "mnist/lost.prototxt"):
        with pytest.raises(SolverError, match="there is no"):
            solver_in(own, f'net: "{name}"')
    for path in (root / "nets/training").glob("*-solver.prototxt"):
        train_net = read_solver(path).train_net
        assert nets.find(train_net, "train_net", str(path)) == str(root / train_net)


@pytest.mark.parametrize("field", ["net", "train_net", "test_net", "weights"])
def test_a_file_that_is_in_neither_place(folders, field):
    here, solvers = folders
    (solvers / "n.prototxt").write_text(NET)
    text = f'{field}: "lost.x" '
    if field in ("test_net", "weights"):
        text += 'train_net: "n.prototxt" test_iter: 1 test_interval: 1 '
    if field == "weights":
        text = text.replace("test_iter: 1 test_interval: 1", "")
    with pytest.raises(SolverError) as error:
        solver_in(solvers, text)
    message = str(error.value)
    for part in ("s.prototxt: there is no lost.x", field, str(here), str(solvers)):
        assert part in message
    with pytest.raises(SolverError, match="in the working folder [^ ]*: names"):
        solver_in(here, text.replace('"n.', f'"{solvers}/n.'))


@pytest.mark.parametrize("name", [r"a\000b", "x" * 5000, r"caf\351"])
def test_names_that_no_file_can_have(folders, name):
    with pytest.raises(caffe.CaffeError, match="there is no|UTF-8"):
        solver_in(folders[1], f'net: "{name}"')
