"""A case: a net, its weights and some frames as files, in the format of each engine.

Run by `write` in a process of its own, so that the memory it takes is gone before anything is
timed: python -m benchmarks.peers.case FOLDER SETTINGS. PyTorch's exporter needs the packages onnx
and onnxscript, which are taken from the peers' environment.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from google.protobuf import text_format

import caffe
from benchmarks.nets import fill_with_noise
from benchmarks.peers.ncnn_files import write_ncnn
from benchmarks.peers.process import BenchmarkError
from lib.cost import stage_cost
from nets.fcn8s import fcn8s
from nets.weights import FOLDER, find_net, find_weights

CLASSES = 21
FRAMES = 2  # a run shows them in turn, so that no engine can return what it has
FORMATS = ("onnx", "ncnn", "mnn", "scores")


class Case(NamedTuple):
    """What is run: FCN-8s of some width on frames of some size, or a net of this repository."""

    title: str
    height: int
    width: int
    channels: float = 1  # width of the net: share of VGG-16's channels
    bundled: str = ""  # a net whose weights are in nets/; else weights are noise


def write(
    case: Case, folder: Path, formats: Collection[str], peers: Path | None, threads: int
) -> None:
    """Write the files of a case, unless the folder has them.

    Parameters
    ----------
    case : Case
    folder : Path
        Made if it is missing. Gets net.prototxt, net.caffemodel and frames.npy (of `FRAMES`
        frames).
    formats : collection of {"onnx", "ncnn", "mnn", "scores"}
        What it gets besides these and cost.json (multiply-adds by stage): net.onnx; net.param and
        net.bin; net.mnn; or scores.npy, those of the first frame, computed in float64.
    peers : Path or None
        The environment of the peers, for the packages that write ONNX and MNN.
    threads : int
        Threads that computing the scores may take.

    Raises
    ------
    BenchmarkError
        If a converter fails, with what it printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "case.json"
    wanted = {"case": list(case), "formats": sorted(formats)}
    if done.exists():
        found = json.loads(done.read_text())
        if found["case"] == wanted["case"] and set(formats) <= set(found["formats"]):
            return
        done.unlink()
    settings = {**wanted, "packages": str(site_packages(peers)) if peers else None}
    run_converter(
        [sys.executable, "-m", "benchmarks.peers.case", str(folder), json.dumps(settings)], threads
    )
    if "mnn" in formats and peers:
        converter = peers / "bin" / "mnnconvert"
        if converter.exists():
            files = ["--modelFile", folder / "net.onnx", "--MNNModel", folder / "net.mnn"]
            run_converter([converter, "-f", "ONNX", *files, "--bizCode", "none"], threads)
    done.write_text(json.dumps(wanted))


def run_converter(command: list, threads: int) -> None:
    """Run a program at the root of the repository; raise BenchmarkError if it fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(FOLDER.parent)}
    ran = subprocess.run(
        list(map(str, command)),
        cwd=FOLDER.parent,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if ran.returncode:
        raise BenchmarkError(
            f"{command[0]} failed with code {ran.returncode}:\n{(ran.stdout + ran.stderr)[-2000:]}"
        )


def site_packages(environment: Path) -> Path:
    """Return the folder of an environment's packages; raise BenchmarkError if there is none."""
    found = sorted(environment.glob("lib/python3.*/site-packages"))
    if not found:
        raise BenchmarkError(
            f"{environment} is no Python environment: give the folder of one, or let `make bench` "
            "make it (PEERS=folder)"
        )
    return found[-1]


def build(case: Case) -> tuple[caffe.Net, str]:
    """Return the net of a case with its weights, and its prototxt."""
    if case.bundled:
        spec = caffe.proto.caffe_pb2.NetParameter()
        text_format.Parse(Path(find_net(f"stage-{case.bundled}")).read_text(), spec)
        spec.layer[0].input_param.shape[0].dim[:] = [1, 3, case.height, case.width]
    else:
        spec = fcn8s(
            CLASSES,
            width=case.channels,
            fc_width=int(4096 * case.channels),
            size=(case.height, case.width),
        )
    net = caffe.Net.from_param(spec, caffe.TEST)
    if case.bundled:
        net.copy_from(find_weights(case.bundled))
    else:
        fill_with_noise(net)
    return net, text_format.MessageToString(spec)


def frames_of(case: Case) -> np.ndarray:
    """Return `FRAMES` random frames, FRAMES x 3 x H x W float32, on the scale of images."""
    rng = np.random.default_rng(1)
    return rng.normal(0, 50, (FRAMES, 3, case.height, case.width)).astype(np.float32)


def reference(net: caffe.Net, frame: np.ndarray) -> np.ndarray:
    """Return the scores of a frame in float64, classes x H x W."""
    module = deepcopy(net.to_module()).double()
    with torch.inference_mode():
        return module(torch.from_numpy(frame[None]).double())[0].numpy()


def _write_files(folder, settings):
    """Write all files but those of MNN; runs in a process of its own."""
    case = Case(*settings["case"])
    net, text = build(case)
    frames = frames_of(case)
    (folder / "net.prototxt").write_text(text)
    (folder / "cost.json").write_text(json.dumps(stage_cost(net)))
    net.save(folder / "net.caffemodel")
    np.save(folder / "frames.npy", frames)
    if "ncnn" in settings["formats"]:
        write_ncnn(folder / "net.prototxt", net, folder / "net.param", folder / "net.bin")
    if {"onnx", "mnn"} & set(settings["formats"]) and settings["packages"]:
        sys.path.append(settings["packages"])  # last: everything else is from our environment
        with torch.no_grad():
            program = torch.onnx.export(
                net.to_module().eval(),
                (torch.from_numpy(frames[:1]),),
                dynamo=True,
                input_names=["data"],
                output_names=["score"],
                verbose=False,
            )
        assert program is not None
        program.save(folder / "net.onnx", external_data=True)
        del program
    if "scores" in settings["formats"]:
        np.save(folder / "scores.npy", reference(net, frames[0]))


if __name__ == "__main__":
    _write_files(Path(sys.argv[1]), json.loads(sys.argv[2]))
