"""The two blobs by which frames enter a net and scores leave it.

In the nets of this repository they are `data` and `score`. Another net's are found if it has but
one input and one output; otherwise their names are given.
"""

from lib.stages import Net

DATA, SCORE = "data", "score"


def input_blob(net: Net, name: str | None = None) -> str:
    """Return the name of the blob that takes the frame.

    Parameters
    ----------
    net : Net
    name : str, optional
        The blob, if it is known. By default `data`, or else the only input of the net.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the net has no such blob, or no blob `data` and not exactly one input.
    """
    return _find(net, name, DATA, "inputs", "for a frame", "data='NAME'")


def output_blob(net: Net, name: str | None = None) -> str:
    """Return the name of the blob that holds the scores of the output.

    Parameters
    ----------
    net : Net
    name : str, optional
        The blob, if it is known. By default `score`, or else the only output of the net.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the net has no such blob, or no blob `score` and not exactly one output.
    """
    return _find(net, name, SCORE, "outputs", "to read its output from", "score='NAME'")


def _find(net, name, usual, kind, purpose, fix):
    blobs = net.blobs
    if name is not None:
        if name in blobs:
            return name
        raise ValueError(
            f"the net has no blob {name!r} {purpose}, its blobs are {', '.join(blobs)}: "
            f"name one of these, {fix}"
        )
    if usual in blobs:
        return usual
    ends = list(getattr(net, kind, ()))
    if len(ends) == 1:
        return ends[0]
    raise ValueError(
        f"the net has no blob {usual!r} {purpose}, and its {kind} are {', '.join(ends) or 'none'}; "
        f"its blobs are {', '.join(blobs)}: name one of these, {fix}"
    )
