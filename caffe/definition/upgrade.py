"""Brings nets and solvers of older forms into today's: `layer { }` with types as text.

Four things changed between Caffe's first release and 1.0, and upgrade_net undoes each:
`layers { }` of the first (upgrade_v0.py) and second (upgrade_v1.py) generation; inputs declared in
the header; preprocessing settings inside data layers; learning rates on BatchNorm statistics.
"""

from caffe.definition.upgrade_v0 import upgrade_v0_layers
from caffe.definition.upgrade_v1 import upgrade_v1_layer
from caffe.errors import CaffeError
from caffe.proto import caffe_pb2

PREPROCESSING = ("scale", "mean_file", "crop_size", "mirror")
SOLVER_TYPES = ("SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam")  # by solver_type


class UpgradeError(CaffeError):
    """A net or solver that contradicts itself, so that no upgrade can be right."""


def upgrade_net(net):
    """Bring the NetParameter `net` into today's form, in place, and return it.

    A net of today's form costs nothing. Weights inside older layers are copied once; files of
    weights are read without, see weights.py. Raises UpgradeError.
    """
    if net.layers and net.layer:
        raise UpgradeError("the net mixes `layers` and `layer`; write all as layer { }")
    if net.layers:
        _upgrade_generation(net)
    for layer in net.layer:
        _upgrade_preprocessing(layer)
        if layer.type == "BatchNorm" and len(layer.param) == 3:
            layer.ClearField("param")  # its three blobs are statistics, never learned
    _upgrade_inputs(net)
    return net


def upgrade_solver(solver):
    """Bring the SolverParameter `solver` into today's form, in place, and return it.

    `solver_type: ADAM` becomes `type: "Adam"`; nets written inline are upgraded.
    Raises UpgradeError.
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
    """Scale, mean, crop and mirroring of data layers moved to transform_param."""
    for name in ("data_param", "image_data_param", "window_data_param"):
        if not layer.HasField(name):
            continue
        settings = getattr(layer, name)
        for field in PREPROCESSING:
            if settings.HasField(field):
                setattr(layer.transform_param, field, getattr(settings, field))
                settings.ClearField(field)


def _upgrade_inputs(net):
    """The inputs of the header become the tops of one Input layer, first in the net."""
    if net.input:
        net.layer.insert(
            0,
            caffe_pb2.LayerParameter(
                name="input",
                type="Input",
                top=net.input,
                input_param=caffe_pb2.InputParameter(shape=_input_shapes(net)),
            ),
        )
    elif net.input_dim or net.input_shape:
        raise UpgradeError('input_dim or input_shape without an input; name it: input: "data"')
    for field in ("input", "input_dim", "input_shape"):
        net.ClearField(field)


def _input_shapes(net):
    count, dims = len(net.input), list(net.input_dim)
    if net.input_shape and dims:
        raise UpgradeError("the net gives both input_shape and input_dim; keep input_shape")
    if dims and len(dims) != 4 * count:
        raise UpgradeError(
            f"{count} input(s) need {4 * count} input_dim, four each; there are {len(dims)}"
        )
    if dims:
        return [caffe_pb2.BlobShape(dim=dims[4 * i : 4 * i + 4]) for i in range(count)]
    if len(net.input_shape) != count:
        raise UpgradeError(
            f"{count} input(s) need {count} input_shape {{ dim: ... }}; "
            f"there are {len(net.input_shape)}"
        )
    return net.input_shape
