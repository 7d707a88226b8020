"""Mutation testing: does some test fail where the code is changed a little?

    python -m tests.mutation.run lib datasets caffe/engine [--count 200] [--seed 0]

Takes a sample of the mutants (tests/mutation/mutants.py) of the modules named, or of those in the
folders named (not deeper), as evenly over the modules as they allow, and runs against each the
quick tests that reach its lines, the shortest first, until one fails. Prints what survived and a
table. `make mutants` runs a small sample. Needs a system that can fork.

Which tests reach a line is measured first, in a few minutes; --reached FILE keeps that for the next
run, which then measures only test files that are new or changed: remove it once the code itself
has changed. --again FILE runs the survivors that an earlier run wrote to its --survivors FILE once
more. A survivor that changes nothing one can see (an equivalent mutant) is no fault of the tests:
read them. Tests that start Python anew do not see the mutant.
"""

import argparse
import ast
import collections
import functools
import hashlib
import importlib.util
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path

import hypothesis
import pytest

from tests.mutation.mutants import mutants

ROOT = Path(__file__).resolve().parents[2]
TESTS = ("tests/caffe", "tests/lib", "tests/datasets", "tests/nets")
OPTIONS = ("-q", "-m", "not slow", "-p", "no:cacheprovider", "--hypothesis-profile=mutation")
WARM = ("torch", "numpy", "scipy.ndimage", "scipy.io", "h5py", "PIL.Image", "matplotlib.pyplot")
WARM += ("google.protobuf.text_format", "skimage.io", "lmdb", "cv2", "_pytest.assertion.rewrite")
MODULE_BUDGET = 20.0  # seconds of tests for a line that runs on import, which all tests reach


def main():
    """Parse the command line, run the mutants, print what survived."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("where", nargs="*", default=["lib", "datasets"])
    parser.add_argument("--count", type=int, default=200, help="mutants to try; 0 for all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--reached", type=Path, help="file that keeps which tests reach which lines"
    )
    parser.add_argument("--survivors", type=Path, help="file to write the survivors to")
    parser.add_argument("--again", type=Path, help="run the survivors in this file once more")
    args = parser.parse_args()
    os.chdir(ROOT)
    _warm_up()
    reached = _reached(args.reached)
    chosen = sample(modules(args.where), args.count, args.seed)
    if args.again:
        wanted = set(args.again.read_text().splitlines())
        chosen = [m for m in sample(modules(args.where), 0, 0) if str(m) in wanted]
    counts, left = collections.Counter(), []
    for i, mutant in enumerate(chosen):
        found = verdict(mutant, reached)
        counts[os.path.dirname(mutant.path), found] += 1
        if found in ("survived", "unreached"):
            left.append(str(mutant))
            print(f"{i + 1}/{len(chosen)} {found} {mutant}", flush=True)
    if args.survivors:
        args.survivors.write_text("".join(f"{line}\n" for line in left))
    print("package tried killed timeout survived unreached")
    for package in sorted({package for package, _ in counts}):
        row = [counts[package, v] for v in ("killed", "timeout", "survived", "unreached")]
        print(package, sum(row), *row)


def modules(where):
    """The Python files named, and those in the folders named."""
    found = [sorted(Path(w).glob("*.py")) if Path(w).is_dir() else [Path(w)] for w in where]
    return [str(path) for some in found for path in some]


def sample(paths, count, seed):
    """About `count` mutants, as many of each module as it has or its share is; 0 for all."""
    every = {path: mutants(path, Path(path).read_text()) for path in paths}
    rng = random.Random(seed)
    for some in every.values():
        rng.shuffle(some)
    share = max(map(len, every.values()), default=0)
    while count and sum(min(share, len(some)) for some in every.values()) > count:
        share -= 1
    return [m for some in every.values() for m in sorted(some[:share], key=lambda m: m.lines.start)]


def verdict(mutant, reached):
    """killed, survived, timeout, or unreached where no test runs the mutant's lines."""
    tests = _tests_of(mutant, reached)
    if not tests:
        return "unreached"
    limit = 20 + 5 * sum(tests.values())

    def run():
        sys.meta_path.insert(0, _Finder(mutant))
        return _pytest(["-x", *sorted(tests, key=tests.get)])

    status = _in_child(run, limit)
    return {0: "survived", None: "timeout"}.get(status, "killed")


def _tests_of(mutant, reached):
    """{test: seconds} of those that run the mutant's lines. Lines that run on import concern all
    tests that run others of the module or are in a file that imports it: of these the shortest.
    """
    near, far, importing = {}, {}, {}
    for path, entry in reached.items():
        imports = _module(mutant.path) in _imported(path)
        for test, (seconds, lines) in entry["tests"].items():
            own = lines.get(mutant.path, ())
            if imports:
                importing[test] = seconds
            if own:
                far[test] = seconds
            if any(line in mutant.lines for line in own):
                near[test] = seconds
    if mutant.on_import:
        far |= importing
        for test in sorted(far, key=lambda t: (t not in importing, far[t])):
            if sum(near.values()) < MODULE_BUDGET:
                near[test] = far[test]
    return near


def _module(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@functools.cache
def _imported(path):
    """Dotted names that a file imports: modules, and what it takes from them."""
    names = set()
    for node in ast.walk(ast.parse(Path(path).read_text())):
        if isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


class _Finder:
    """Imports the changed module in place of the one on disk."""

    def __init__(self, mutant):
        self.name, self.mutant = _module(mutant.path), mutant

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        file = str(ROOT / self.mutant.path)
        return importlib.util.spec_from_file_location(name, file, loader=_Loader(name, file, self))


class _Loader(SourceFileLoader):
    def __init__(self, name, path, finder):
        super().__init__(name, path)
        self.finder = finder

    def get_code(self, name):
        return self.finder.mutant.code(self.path)


def _reached(kept):
    """{test file: {"hash": ..., "tests": {test: (seconds, {module: lines})}}}."""
    found = json.loads(kept.read_text()) if kept and kept.exists() else {}
    hashes = {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in TESTS
        for path in Path(folder).rglob("test_*.py")
    }
    found = {path: e for path, e in found.items() if e["hash"] == hashes.get(path)}
    new = [path for path in hashes if path not in found]
    if new:
        with tempfile.NamedTemporaryFile("r", suffix=".json") as out:
            status = _in_child(lambda: _measure(new, out.name), 3600)
            if status:
                sys.exit(f"the tests fail without any mutant (pytest gave {status})")
            tests = json.load(out)
        for path in new:
            found[path] = {"hash": hashes[path], "tests": {}}
        for test, entry in tests.items():
            found[test.partition("::")[0]]["tests"][test] = entry
    if kept:
        kept.write_text(json.dumps(found))
    return found


def _measure(files, out):
    """Run test files; write for each test how long it took and the lines of ours that it ran."""
    import coverage

    cover = coverage.Coverage(data_file=None, config_file=False, include=[f"{ROOT}/*"])
    seconds = {}

    class Plugin:
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(self, item):
            cover.switch_context(item.nodeid)
            start = time.perf_counter()
            result = yield
            seconds[item.nodeid] = time.perf_counter() - start
            cover.switch_context("")
            return result

    cover.start()
    status = _pytest(files, [Plugin()])
    cover.stop()
    tests = {test: (s, {}) for test, s in seconds.items()}
    data = cover.get_data()
    for file in data.measured_files():
        path = str(Path(file).relative_to(ROOT))
        if not path.startswith("tests/"):
            for line, contexts in data.contexts_by_lineno(file).items():
                for test in filter(None, contexts):
                    tests[test][1].setdefault(path, []).append(line)
    Path(out).write_text(json.dumps(tests))
    return status


def _warm_up():
    """Import once, before any fork, what the tests need and is not ours."""
    for name in WARM:
        importlib.import_module(name)
    hypothesis.settings.register_profile(
        "mutation",
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )


def _pytest(arguments, plugins=()):
    folder = tempfile.mkdtemp(prefix="clockwork-mutation-")
    try:
        return pytest.main([*OPTIONS, f"--basetemp={folder}/t", *arguments], plugins=plugins)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_child(run, limit):
    """What `run` returns in a fork of this process; None where it takes longer than the limit."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        status = 99
        try:
            os.setpgid(0, 0)
            quiet = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(quiet, stream)
            status = int(run())
        finally:
            os._exit(status)
    end = time.monotonic() + limit
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.02)


if __name__ == "__main__":
    main()
