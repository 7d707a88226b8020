"""Tell by its first bytes what a file is that was given in place of weights, a state or a mean."""

MEAN, STATE = "binaryproto", "solverstate"  # in what a file should be; else weights
DEFINITION_WORDS = (
    b"layer",
    b"name:",
    b"input",
    b"net:",
    b"train_net",
    b"base_lr",
    b"state {",
    b"#",
)


def fix(start: bytes, what: str) -> str | None:
    """Return what a file seems to be and what to do, for a message; None if that is not known.

    Parameters
    ----------
    start : bytes
        The first hundred bytes or so.
    what : str
        What the file should be, such as "a .caffemodel".
    """
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer: run git lfs pull"
    if text[:1] == b"<":
        return "it looks like a web page: the download went wrong"
    if start.startswith(b"\x93NUMPY"):
        return f"it is a NumPy array (.npy): {_from_array(what)}"
    if (
        start.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf"))
        or start[257:262] == b"ustar"
    ):
        return "it is a packed archive: unpack it, and give the file inside"
    if start.startswith((b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")):
        if what.endswith((MEAN, STATE, "mean")):
            return f"it looks like a PyTorch or NumPy file: {_from_array(what)}"
        return "it looks like a PyTorch file: use net.load_state_dict(path)"
    if start.startswith(b"\x89HDF") and MEAN in what:
        return f"it is an HDF5 file: {_from_array(what)}"
    if start.startswith((b"\x89PNG", b"\xff\xd8\xff", b"BM", b"GIF8")):
        return "it is an image"
    if text.startswith(DEFINITION_WORDS) and text.isascii() and b"\0" not in text:
        return f"it is text, as a definition or a solver is (.prototxt): {_in_place_of_text(what)}"
    if start.startswith(b"\x08\x01\x10") and "caffemodel" in what:
        return "it looks like a mean (.binaryproto): name it as mean_file, in transform_param"
    return None


def _from_array(what):
    """Say how the values of an array get into a net."""
    if MEAN in what:
        return "write the array with caffe.io.array_to_blobproto(mean).SerializeToString()"
    if STATE in what:
        return "name the .solverstate that the solver wrote"
    return "copy arrays into net.params[layer][i].data[...]"


def _in_place_of_text(what):
    """Say where a definition goes."""
    if MEAN in what:
        return "name the .binaryproto"
    if STATE in what:
        return "name the .solverstate that the solver wrote"
    return "it comes first, the weights after it: Net(definition, weights, phase)"
