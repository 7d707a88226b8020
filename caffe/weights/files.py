"""What all kinds of weights files share: checks that name the likely cause; `write_whole`."""

import dataclasses

from caffe import files
from caffe.errors import ShapeMismatch, WeightsError
from caffe.weights.write_whole import write_whole as write_whole

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
PathLike = files.PathLike
Shape = tuple[int, ...]


def check_file(path: PathLike, what: str = files.WEIGHTS.name) -> None:
    """Raise WeightsError unless `path` is a regular file that can be read and is not empty.

    Parameters
    ----------
    path : path
    what : str
        What the file is, for the message.
    """
    if isinstance(path, str) and not path:
        raise WeightsError(f"no {what} is named, its path is ''")
    files.check_file(path, dataclasses.replace(files.WEIGHTS, name=what))


def is_hdf5(path: PathLike) -> bool:
    """Tell whether a file is HDF5 by its first bytes; its name does not matter."""
    with open(path, "rb") as f:
        return f.read(len(HDF5_MAGIC)) == HDF5_MAGIC


def check_number(path: PathLike, layer: str, theirs: int, mine: int) -> None:
    """Raise WeightsError if a layer has `theirs` blobs in the file, but `mine` in the net."""
    if theirs != mine:
        raise WeightsError(
            f"{path}: layer {layer!r} has {theirs} blobs in the file, {mine} in the net: bias_term "
            "differs, or the layer is of another type"
        )


def check_shape(
    path: PathLike, layer: str, i: int, mine: Shape, theirs: Shape, legacy: bool = False
) -> None:
    """Check that a blob has the same shape in a file as in the net.

    Parameters
    ----------
    path : path
    layer : str
        Name of the layer.
    i : int
        Index of the blob among those of the layer.
    mine, theirs : tuple of int
        The shape in the net and the shape in the file.
    legacy : bool
        Whether the file gives four axes, which begin with ones if the blob has fewer.

    Raises
    ------
    ShapeMismatch
        If they differ; the message names the likely cause.
    """
    padded = (1,) * (4 - len(mine)) + mine if legacy else mine
    if padded != theirs:
        raise ShapeMismatch(
            f"{path}: layer {layer!r}, blob {i}: shape {theirs} in the file, {mine} in the net: "
            f"{likely_cause(padded, theirs)}"
        )


def likely_cause(mine: Shape, theirs: Shape) -> str:
    """Return why a learned blob may have shape `mine` in the net and `theirs` in a file."""
    another = "the file is for another net: rename the layer to keep its filler values"
    if len(mine) != len(theirs):
        return another
    differing = [axis for axis, (a, b) in enumerate(zip(mine, theirs)) if a != b]
    if differing == [1] and len(mine) > 2:
        few, many = sorted((mine[1], theirs[1]))
        if few and many % few == 0:
            grouped = "net" if mine[1] == few else "file"
            return (
                f"the {grouped} is grouped, the other is not (set convolution_param.group to "
                "match), or its bottom has other channels"
            )
        return f"its bottom has other channels: {another}"
    if differing and min(differing) >= 2:
        return f"another kernel_size: {another}"
    if len(differing) == 1 and all(d == 1 for d in mine[: differing[0]]):
        return f"another num_output, such as another number of classes: {another}"
    return another
