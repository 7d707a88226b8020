"""The module's names, Timer, logging, and the solver ranks of multi-GPU scripts."""

import copy
import importlib
import logging
import pickle
import time

import pytest

import caffe
from caffe.errors import SolverError

NAMES = """Net Layer Blob NetSpec layers params to_proto io coord_map draw Classifier Detector Timer
TRAIN TEST __version__ layer_type_list get_solver SGDSolver NesterovSolver AdaGradSolver
RMSPropSolver AdaDeltaSolver AdamSolver set_mode_cpu set_mode_gpu set_device set_random_seed
init_log log solver_count set_solver_count solver_rank set_solver_rank set_multiprocess
has_nccl""".split()


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    assert hasattr(caffe, name)
    assert name.startswith("__") or name in caffe.__all__


@pytest.mark.parametrize(
    "module, names",
    [
        ("pycaffe", "Net SGDSolver AdamSolver Timer"),
        ("classifier", "Classifier"),
        ("detector", "Detector"),
        ("net_spec", "NetSpec Top Function layers params to_proto"),
        (
            "coord_map",
            "coord_map_from_to crop coord_map compose inverse conv_params crop_params "
            "UndefinedMapException AxisMismatchException PASS_THROUGH",
        ),
        ("io", "Transformer load_image"),
        ("draw", "draw_net get_pydot_graph"),
        ("proto.caffe_pb2", "NetParameter SolverParameter BlobProto Datum TRAIN"),
    ],
)
def test_modules_that_scripts_import_from(module, names):
    imported = importlib.import_module(f"caffe.{module}")
    assert all(hasattr(imported, name) for name in names.split())


def test_timer():
    timer = caffe.Timer()
    assert timer.ms == 0
    timer.start()
    time.sleep(0.02)
    timer.start()  # no-op
    timer.stop()
    first = timer.ms
    assert 20 <= first == timer.ms
    timer.start()
    assert 0 <= timer.ms < first  # reading stops it
    timer.stop()


@pytest.fixture
def logger():
    logger = logging.getLogger("caffe")
    level, handlers = logger.level, list(logger.handlers)
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers


def test_log(logger, caplog):
    caffe.init_log(stderr=False)
    caffe.log("a line with %s")
    caffe.init_log(1, False)
    caffe.log("unseen")
    logger.warning("seen")
    assert caplog.messages == ["a line with %s", "seen"]


def test_log_to_stderr(logger):
    caffe.init_log()
    caffe.init_log(0)
    assert len(logger.handlers) == 1  # added once
    caffe.init_log(3)
    assert logger.level == logging.CRITICAL


def test_ranks():
    assert (caffe.solver_count(), caffe.solver_rank(), caffe.has_nccl()) == (1, 0, False)
    assert not hasattr(caffe, "NCCL")
    try:
        caffe.set_solver_count(4)
        caffe.set_solver_rank(3)
        caffe.set_multiprocess(True)
        assert (caffe.solver_count(), caffe.solver_rank()) == (4, 3)
    finally:
        caffe.set_solver_count(1)
        caffe.set_solver_rank(0)
        caffe.set_multiprocess(False)
    for call in (caffe.set_solver_count, caffe.set_solver_rank):
        with pytest.raises(SolverError):
            call(-1)


def test_the_names_of_the_extension():
    extension = importlib.import_module("caffe._caffe")
    for name in extension.__all__:
        assert getattr(extension, name) is getattr(caffe, name, getattr(extension, name))
    assert {"Net", "Blob", "SGDSolver", "BlobVec", "Layer"} <= set(extension.__all__)


@pytest.mark.parametrize(
    "name, words",
    [
        ("NCCL", "several GPUs is not offered"),
        ("set_phase_test", "give caffe.TEST to caffe.Net"),
        ("nothing", "no attribute 'nothing'$"),
    ],
)
def test_names_that_are_missing(name, words):
    with pytest.raises(AttributeError, match=words):
        getattr(caffe, name)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_messages_can_be_copied_and_pickled(copied):
    net = caffe.proto.caffe_pb2.NetParameter(name="n")
    net.layer.add(name="conv").convolution_param.kernel_size.append(3)
    assert copied(net) == net and copied(net) is not net
    assert copied([caffe.proto.caffe_pb2.Datum(label=3)])[0].label == 3
