"""Names that scripts of other versions of pycaffe use, and what does the same here."""

TRANSFORMER = "use caffe.io.Transformer"
IN_MODULE = {
    "NCCL": "training on several GPUs is not offered (caffe.has_nccl() is False): train with the "
    "solver alone, on one GPU",
    "set_phase_test": "give caffe.TEST to caffe.Net",
    "set_phase_train": "give caffe.TRAIN to caffe.Net",
    "SolverParameter": "use caffe.proto.caffe_pb2.SolverParameter",
    "NetParameter": "use caffe.proto.caffe_pb2.NetParameter",
}
IN_NET = {
    "set_phase_test": "give caffe.TEST to caffe.Net",
    "set_phase_train": "give caffe.TRAIN to caffe.Net",
    "set_mode_cpu": "use caffe.set_mode_cpu()",
    "set_mode_gpu": "use caffe.set_mode_gpu()",
    "set_device": "use caffe.set_device()",
    "set_mean": TRANSFORMER,
    "set_input_scale": TRANSFORMER,
    "set_raw_scale": TRANSFORMER,
    "set_channel_swap": TRANSFORMER,
    "preprocess": TRANSFORMER,
    "deprocess": TRANSFORMER,
    "load_state": "use solver.restore(path)",
    "data": "values belong to a blob: use net.blobs[name].data",
    "diff": "gradients belong to a blob: use net.blobs[name].diff",
}


def missing(what: str, name: str, table: dict[str, str]) -> AttributeError:
    """Return the error for an attribute that is not there, with the hint of a table if it has one.

    Parameters
    ----------
    what : str
        What lacks the attribute, for the message.
    name : str
        The attribute.
    table : dict of str to str
        `IN_MODULE` or `IN_NET`.
    """
    hint = f": {table[name]}" if name in table else ""
    return AttributeError(f"{what} has no attribute {name!r}{hint}")
