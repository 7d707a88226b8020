"""Settings and fixtures shared by all tests."""

import os
import signal
from pathlib import Path

import hypothesis
import pytest

import caffe

ROOT = Path(__file__).resolve().parents[1]

# A shell may start what runs in the background with Ctrl-C ignored. Tests send it: let it arrive.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Examples have no deadline, as a busy machine may slow any of them down.
hypothesis.settings.register_profile("clockwork", deadline=None)
hypothesis.settings.load_profile("clockwork")


@pytest.fixture(autouse=bool(os.environ.get("CLOCKWORK_GPU")))
def in_gpu_mode():
    """Run a test in GPU mode: all of them, if CLOCKWORK_GPU is set, as `make bench-gpu` does."""
    import caffe

    caffe.set_mode_gpu()
    yield
    caffe.set_mode_cpu()


@pytest.fixture(scope="session")
def root():
    """Path of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared():
    """Path of ../shared (recorded outputs and real data); skip the test if it does not exist."""
    path = ROOT.parent / "shared"
    if not path.is_dir():
        pytest.skip("needs the folder ../shared with recorded outputs and real data")
    return path


@pytest.fixture(scope="session")
def shared_folder(shared):
    """Return a function: path of a sub-folder of ../shared, skip the test if it does not exist."""

    def find(name):
        path = shared / name
        if not path.is_dir():
            pytest.skip(f"needs the folder ../shared/{name}")
        return path

    return find


def pytest_addoption(parser):
    """Add --kernels, with which all tests can run on each path of the engine."""
    parser.addoption("--kernels", default="torch", choices=("auto", "torch", "ncnn"))


@pytest.fixture(autouse=True)
def usual_kernels(request):
    """Use the kernels of the command line again after a test that chose others."""
    caffe.set_kernels(request.config.getoption("--kernels"))
