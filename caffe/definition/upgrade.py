"""Upgrade nets and solvers of older formats to the current one: `layer { }`, types as strings.

Four things changed between Caffe's first release and 1.0, and upgrade_net converts each: `layers
{ }` of the first (upgrade_v0.py) and second (upgrade_v1.py) format; inputs declared in the header;
preprocessing settings inside data layers; `param` groups on the statistics of BatchNorm.
Source: BVLC Caffe, upgrade_proto.cpp.
"""

import logging

from caffe.definition.upgrade_v0 import upgrade_v0_layers
from caffe.definition.upgrade_v1 import upgrade_v1_layer
from caffe.errors import CaffeError
from caffe.proto import caffe_pb2

log = logging.getLogger("caffe")

PREPROCESSING = ("scale", "mean_file", "crop_size", "mirror")
SOLVER_TYPES = (
    "SGD",
    "Nesterov",
    "AdaGrad",
    "RMSProp",
    "AdaDelta",
    "Adam",
)  # indexed by solver_type


class UpgradeError(CaffeError):
    """A net or solver that contradicts itself, so no upgrade is right."""


def upgrade_net(net: caffe_pb2.NetParameter) -> caffe_pb2.NetParameter:
    """Upgrade a net to the current format, in place.

    A net in the current format is not copied. Weights inside older layers are copied once;
    `caffe.weights.caffemodel` reads weights files of all formats without an upgrade.

    Parameters
    ----------
    net : NetParameter

    Returns
    -------
    NetParameter
        The same `net`.

    Raises
    ------
    UpgradeError
        If the net mixes formats or contradicts itself.
    """
    if net.layers and net.layer:
        raise UpgradeError("the net mixes `layers` and `layer`; write all as layer { }")
    if net.layers:
        _upgrade_generation(net)
    for layer in net.layer:
        _upgrade_preprocessing(layer)
        if layer.type == "BatchNorm" and len(layer.param) == 3:
            layer.ClearField("param")  # its three blobs are statistics, not learned
    _upgrade_inputs(net)
    return net


def current_form(net: caffe_pb2.NetParameter) -> caffe_pb2.NetParameter:
    """Return a net in the current format: the same, or an upgraded copy.

    Raises
    ------
    UpgradeError
        As `upgrade_net` does.
    """
    if not (net.layers or net.input or net.input_dim or net.input_shape):
        return net
    copy = caffe_pb2.NetParameter()
    copy.CopyFrom(net)
    return upgrade_net(copy)


def upgrade_solver(solver: caffe_pb2.SolverParameter) -> caffe_pb2.SolverParameter:
    """Upgrade a solver to the current format, in place.

    `solver_type: ADAM` becomes `type: "Adam"`; inline nets are upgraded.

    Parameters
    ----------
    solver : SolverParameter

    Returns
    -------
    SolverParameter
        The same `solver`.

    Raises
    ------
    UpgradeError
        If the solver gives both kinds of type, or an inline net cannot be upgraded.
    """
    if solver.HasField("solver_type"):
        if solver.HasField("type"):
            raise UpgradeError("the solver sets both `type` and the older `solver_type`; keep type")
        solver.type = SOLVER_TYPES[solver.solver_type]
        solver.ClearField("solver_type")
    for field in ("net_param", "train_net_param"):
        if solver.HasField(field):
            upgrade_net(getattr(solver, field))
    for net in solver.test_net_param:
        upgrade_net(net)
    return solver


def _upgrade_generation(net):
    """Replace `layers { }` of either older format by `layer { }`."""
    nested = [layer.HasField("layer") for layer in net.layers]
    if any(nested) and not all(nested):
        old = net.layers[nested.index(False)]
        raise UpgradeError(
            f"layer {old.name}: layers {{ }} with and without an inner layer {{ }} "
            "cannot be mixed in one net"
        )
    try:
        if nested[0]:
            net.layer.extend(upgrade_v0_layers(net.layers))
        else:
            net.layer.extend(upgrade_v1_layer(layer) for layer in net.layers)
    except ValueError as error:
        raise UpgradeError(str(error)) from None
    net.ClearField("layers")


def _upgrade_preprocessing(layer):
    """Move scale, mean, crop and mirroring of a data layer to its transform_param."""
    for name in ("data_param", "image_data_param", "window_data_param"):
        if not layer.HasField(name):
            continue
        settings = getattr(layer, name)
        for field in PREPROCESSING:
            if settings.HasField(field):
                setattr(layer.transform_param, field, getattr(settings, field))
                settings.ClearField(field)


def _upgrade_inputs(net):
    """Turn the inputs of the header into the tops of one Input layer, first in the net.

    Inputs without a shape make no layer: a layer of the net may be called so, and make them. Shapes
    without inputs, and more shapes than inputs, mean nothing. Caffe takes these as they come.
    """
    if net.input and (net.input_shape or net.input_dim):
        net.layer.insert(
            0,
            caffe_pb2.LayerParameter(
                name="input",
                type="Input",
                top=net.input,
                input_param=caffe_pb2.InputParameter(shape=_input_shapes(net)),
            ),
        )
    elif net.input:
        _check_made(net)
    elif net.input_dim or net.input_shape:
        log.warning('input_dim and input_shape without an input are ignored; write input: "data"')
    for field in ("input", "input_dim", "input_shape"):
        net.ClearField(field)


def _input_shapes(net):
    """Return the shapes of the header's inputs, given in either way."""
    count, dims = len(net.input), list(net.input_dim)
    if net.input_shape:
        if dims:
            log.warning("the net gives both input_shape and input_dim; input_dim is ignored")
        _check_number(count, count, len(net.input_shape), "input_shape { dim: ... }")
        return net.input_shape[:count]
    _check_number(count, 4 * count, len(dims), "input_dim, four each")
    return [caffe_pb2.BlobShape(dim=dims[4 * i : 4 * i + 4]) for i in range(count)]


def _check_number(inputs, needed, given, what):
    """Raise UpgradeError if the header gives too little for its inputs; warn if too much."""
    if given < needed:
        raise UpgradeError(f"{inputs} input(s) need {needed} {what}; there are {given}")
    if given > needed:
        log.warning(
            "%d input(s) take %d %s; the rest of %d is ignored", inputs, needed, what, given
        )


def _check_made(net):
    """Raise UpgradeError if a layer that always runs reads an input that has no shape."""
    made = {top for layer in net.layer for top in layer.top}
    for layer in net.layer:
        if layer.include or layer.exclude:
            continue
        for name in set(layer.bottom) & set(net.input) - made:
            raise UpgradeError(
                f"the input {name!r} has no size: add input_shape {{ dim: ... }}, one per input"
            )
