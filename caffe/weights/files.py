"""What both kinds of weights files share: checks with the likely cause, and writing safely."""

import os

from caffe.errors import ShapeMismatch, WeightsError

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


def check_file(path, what="weights file"):
    """WeightsError where `path` is no file, cannot be read or is empty."""
    if os.path.isdir(path):
        raise WeightsError(f"{path} is a folder: name the {what} in it")
    if not os.path.exists(path):
        raise WeightsError(
            f"{path}: no such {what} (looked in {os.getcwd()}): see nets/README.md for where weights "
            "come from, or check the path"
        )
    if not os.access(path, os.R_OK):
        raise WeightsError(f"{path} cannot be read: check its permissions")
    if not os.path.getsize(path):
        raise WeightsError(f"{path} is empty: fetch it again")


def is_hdf5(path):
    """Whether the file begins as HDF5 files do; its name does not count."""
    with open(path, "rb") as f:
        return f.read(8) == HDF5_MAGIC


def check_number(path, layer, theirs, mine):
    """WeightsError where a layer has another number of blobs in the file."""
    if theirs != mine:
        raise WeightsError(
            "%s: layer %r has %d blobs in the file, %d in the net: bias_term "
            "differs, or the layer is of another type" % (path, layer, theirs, mine)
        )


def check_shape(path, layer, i, mine, theirs, legacy=False):
    """ShapeMismatch, with the likely cause, where blob i of a layer has another shape in the file.

    legacy: the file gives four axes, of which leading ones may stand for nothing.
    """
    padded = (1,) * (4 - len(mine)) + mine if legacy else mine
    if padded != theirs:
        raise ShapeMismatch(
            "%s: layer %r, blob %d: shape %s in the file, %s in the net: %s"
            % (path, layer, i, theirs, mine, cause(padded, theirs))
        )


def cause(mine, theirs):
    """Why the shape of a learned blob may differ from that in a file (text)."""
    another = "the file is for another net: rename the layer to keep its filler values"
    if len(mine) != len(theirs):
        return another
    differing = [axis for axis, (a, b) in enumerate(zip(mine, theirs)) if a != b]
    if differing == [1] and len(mine) > 2:
        few, many = sorted((mine[1], theirs[1]))
        if few and many % few == 0:
            return (
                "the %s is grouped, the other is not (set convolution_param.group to match), "
                "or its bottom has other channels" % ("net" if mine[1] == few else "file")
            )
        return "its bottom has other channels: " + another
    if differing and min(differing) >= 2:
        return "another kernel_size: " + another
    if len(differing) == 1 and all(d == 1 for d in mine[: differing[0]]):
        return "another num_output, of classes say: " + another
    return another


def write_whole(path, write):
    """Call write(temporary path) and rename the result to `path`; WeightsError where it cannot."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise WeightsError(f"{path}: cannot be written, there is no folder {folder}: make it first")
    part = "%s.part%d" % (path, os.getpid())
    try:
        write(part)
        os.replace(part, path)
    except (OSError, ValueError) as e:
        raise WeightsError(f"{path}: cannot be written: {e}") from e
    finally:
        if os.path.exists(part):
            os.remove(part)
