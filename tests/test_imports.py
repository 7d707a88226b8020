"""Imports run one way: who may import whom, no circles, and only what requirements.txt names."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("caffe", "lib", "nets", "datasets", "notebooks", "benchmarks")

# Which of our packages a package may import; longer names come before the packages they are in.
MAY_IMPORT = {
    "caffe": {"caffe"},
    "datasets": {"datasets"},
    "lib.cityscapes_layers": {"caffe", "datasets"},  # a Python layer that reads a dataset
    "lib.segment": {"lib", "caffe"},  # a command, which opens a net
    "lib": {"lib"},
    "nets.training": {"nets", "caffe", "lib", "datasets"},
    "nets": {"nets", "caffe", "lib"},
    "notebooks": {"notebooks", "nets", "lib", "datasets", "caffe"},
    "benchmarks.loop": {"benchmarks", "nets", "lib", "datasets", "caffe"},  # the loop around a net
    "benchmarks": {"benchmarks", "nets", "lib", "caffe"},
}

# Floors of caffe/: a module may import from its own floor and from those above it in this list.
FLOORS = (
    "caffe.errors caffe.files caffe.spelling caffe.proto",
    "caffe.blobs",
    "caffe.weights",
    "caffe.layer_types",
    "caffe.definition",
    "caffe.graph",
    "caffe.engine",
    "caffe.torch_module",
    "caffe.net_arguments caffe.net_rows caffe.net_structure caffe.old_names",
    "caffe.net",
    "caffe.training",
    "caffe.image_file",
    "caffe.io caffe.pycaffe caffe.net_spec caffe.coord_map caffe.draw caffe.classifier "
    "caffe.detector",
    "caffe._caffe",
)

# Distributions whose modules have another name.
MODULES = {"pillow": "PIL", "scikit-image": "skimage", "protobuf": "google", "mnn": "MNN"}
MODULES["opencv-python-headless"] = "cv2"


def module_name(path):
    """The dotted name of a file of ours."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources():
    """{module name: its syntax tree} of all packages."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {module_name(path): ast.parse(path.read_text()) for path in paths}


SOURCES = sources()


def imported(tree):
    """The dotted names that a module imports, in functions and for types too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(name):
    """The module of ours that an imported name is, or is defined in; None for others."""
    while name:
        if name in SOURCES:
            return name
        name = name.rpartition(".")[0]
    return None


def longest(name, table):
    """The entry of `table` that `name` is, or lies in."""
    return next(entry for entry in table if name == entry or name.startswith(entry + "."))


@pytest.mark.parametrize("module", SOURCES)
def test_packages_import_only_those_below(module):
    allowed = MAY_IMPORT[longest(module, MAY_IMPORT)]
    for name in imported(SOURCES[module]):
        package = name.partition(".")[0]
        assert package not in PACKAGES or package in allowed | {module.partition(".")[0]}


@pytest.mark.parametrize("module", [m for m in SOURCES if m.startswith("lib.")])
def test_lib_runs_on_a_real_pycaffe_without_pytorch(module):
    """Its room for PyTorch models apart."""
    if not module.startswith("lib.clocked"):
        names = list(imported(SOURCES[module]))
        assert not [n for n in names if n.partition(".")[0] == "torch"]
        assert not [n for n in names if n.startswith("lib.clocked")]


@pytest.mark.parametrize("module", [m for m in SOURCES if m.startswith("caffe.")])
def test_floors_of_caffe(module):
    floors = {part: i for i, floor in enumerate(FLOORS) for part in floor.split()}
    for name in filter(None, map(ours, imported(SOURCES[module]))):
        if name != "caffe":
            assert floors[longest(name, floors)] <= floors[longest(module, floors)], name


def test_no_circles():
    below = {
        module: {ours(name) for name in imported(tree)} - {None, module}
        for module, tree in SOURCES.items()
    }
    # a package's face imports its modules, and these may import each other
    faces = {m for m in SOURCES if any(other.startswith(m + ".") for other in SOURCES)}
    left = {module: names - faces for module, names in below.items() if module not in faces}
    while ready := [module for module, names in left.items() if not names & left.keys()]:
        for module in ready:
            del left[module]
    assert not left, "these import one another"


def requirements(file):
    """{distribution: version} that a requirements file pins."""
    lines = (ROOT / file).read_text().splitlines()
    found = (re.match(r"([A-Za-z0-9_.-]+)==([^\s;#]+)", line) for line in lines)
    return [(m[1].lower(), m[2]) for m in found if m]


def test_running_needs_only_requirements_txt():
    known = {
        MODULES.get(name, name.replace("-", "_")) for name, _ in requirements("requirements.txt")
    }
    optional = {"selective_search_ijcv_with_python", "IPython"}  # named where they are missed
    # the engines that benchmarks compare with, in an environment of their own
    peers = {
        MODULES.get(name, name) for name, _ in requirements("benchmarks/peers/requirements.txt")
    }
    for module, tree in SOURCES.items():
        allowed = {*PACKAGES, *known, *optional}
        allowed |= peers if module == "benchmarks.peers.engines" else set()
        for name in imported(tree):
            package = name.partition(".")[0]
            standard = package in sys.stdlib_module_names
            assert standard or package in allowed, f"{module}: {name}"


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_constraints_agree_with_the_requirements(file):
    pinned = requirements("constraints.txt")
    assert set(requirements(file)) <= set(pinned), "run: make constraints"
