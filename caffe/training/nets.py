"""The nets that a solver prototxt names or contains, and the weights that they start from.

A relative name counts from the working folder, as in Caffe; if nothing is there, from the folder of
the solver prototxt. Many solvers name their net from the root of their repository, such as
examples/mnist/solver.prototxt the net "examples/mnist/train.prototxt". These are found as well.
"""

import os
from typing import NoReturn

from caffe.definition.prototxt import read_net
from caffe.errors import SolverError
from caffe.net import Net
from caffe.proto import caffe_pb2

TO_TRAIN = ("net", "train_net", "net_param", "train_net_param")


def find(name: str, field: str, solver: str) -> str:
    """Return the path of a file that a solver prototxt names.

    Parameters
    ----------
    name : str
        The value of the field.
    field : str
        Its name, for the message.
    solver : str
        Path of the solver prototxt.

    Raises
    ------
    SolverError
        If a relative name is in neither of the two folders.
    """
    here, folder = os.getcwd(), os.path.dirname(os.path.abspath(solver))
    beside = os.path.join(folder, name)
    if os.path.isabs(name):
        return name
    for path in (name, beside, *_from_common_roots(name, folder)):
        if os.path.exists(path) and not os.path.isdir(path):
            return path
    places = f"the working folder {here}"
    if os.path.realpath(here) != os.path.realpath(folder):
        places += f" nor beside the solver in {folder}"
    shown = name if len(name) < 500 and name.isprintable() else ascii(name)[:500]
    raise SolverError(
        f"{solver}: there is no {shown}, which {field} names, in {places}: names count from there"
    )


def _from_common_roots(name, folder):
    """Yield `name` from each folder above `folder` that its first part leads back to."""
    first = os.path.normpath(name).split(os.sep)[0]
    while folder != os.path.dirname(folder):
        if os.path.basename(folder) == first:
            yield os.path.join(os.path.dirname(folder), name)
        folder = os.path.dirname(folder)


def train_net(param: caffe_pb2.SolverParameter, path: str) -> Net:
    """Return the one net that net, train_net, net_param or train_net_param gives.

    Parameters
    ----------
    param : SolverParameter
    path : str
        Path of the solver prototxt.

    Raises
    ------
    SolverError
        If it is given more than once, or not at all.
    """
    fields = [field for field in TO_TRAIN if param.HasField(field)]
    if len(fields) != 1:
        _refuse(
            path,
            f"gives {' and '.join(fields) or 'no net'}: name the net to train once, as net or "
            "train_net",
        )
    value = getattr(param, fields[0])
    definition = read_net(find(value, fields[0], path)) if isinstance(value, str) else value
    return _in_state(definition, caffe_pb2.TRAIN, param.train_state)


def test_nets(param: caffe_pb2.SolverParameter, path: str) -> list[Net]:
    """Return the nets of test_net_param and test_net, then `net` for each test_iter left.

    Parameters
    ----------
    param : SolverParameter
    path : str
        Path of the solver prototxt.

    Raises
    ------
    SolverError
        If test_iter, test_interval or test_state do not fit them.
    """
    p = param
    nets = list(p.test_net_param) + [read_net(find(n, "test_net", path)) for n in p.test_net]
    left = len(p.test_iter) - len(nets)
    if left > 0 and p.net:
        nets += [read_net(find(p.net, "net", path))] * left
    elif left > 0 and p.HasField("net_param"):
        nets += [p.net_param] * left
    if len(nets) != len(p.test_iter):
        _refuse(
            path,
            f"{len(nets)} test nets but {len(p.test_iter)} test_iter: give one number of "
            "iterations each",
        )
    if nets and p.test_interval < 1:
        _refuse(path, "test nets need a test_interval of 1 or more")
    if len(p.test_state) not in (0, len(nets)):
        _refuse(
            path,
            f"{len(p.test_state)} test_state for {len(nets)} test nets: give none, or one each",
        )
    states = p.test_state or [caffe_pb2.NetState()] * len(nets)
    return [_in_state(net, caffe_pb2.TEST, state) for net, state in zip(nets, states)]


def load_weights(param: caffe_pb2.SolverParameter, path: str, nets: list[Net]) -> None:
    """Copy the files of `weights`, which may be several separated by commas, into nets.

    Parameters
    ----------
    param : SolverParameter
    path : str
        Path of the solver prototxt.
    nets : list of Net
    """
    for net in nets:
        for names in param.weights:
            for name in names.split(","):
                net.copy_from(find(name.strip(), "weights", path))


def _in_state(definition, phase, state):
    """Return the Net of a definition; `state` comes before its own state, that before `phase`."""
    own = caffe_pb2.NetParameter()
    own.CopyFrom(definition)
    own.state.MergeFrom(state)
    if own.state.HasField("phase"):
        phase = own.state.phase
    return Net.from_param(own, phase, own.state.level)


def _refuse(path: str, what: str) -> NoReturn:
    raise SolverError(f"{path}: {what}")
