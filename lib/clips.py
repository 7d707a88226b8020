"""What functions of clips take: a list of clips, each of (frame, label) pairs.

`as_clips` and `pairs` turn what is easily given in their place into that, where there is but one
way to read it: one clip is a list of one, a generator of clips is its list. The rest is an error
that names the clip, the frame and the fix.
"""

from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np

from lib.schedule import Clip, LabelledFrame

NO_NAME = "a clip without a name"


def as_clips(clips: Sequence[Clip] | Iterable[Clip] | Clip) -> list[Clip]:
    """Return a list of clips.

    Parameters
    ----------
    clips : sequence or other iterable of Clip, or one Clip

    Returns
    -------
    list of Clip

    Raises
    ------
    ValueError
        If it is neither, or a clip has no length.
    """
    if isinstance(clips, (str, bytes, dict, np.ndarray)) or not isinstance(clips, Iterable):
        raise ValueError(f"clips are {_kind(clips)}: give a list of clips, as data.clips() returns")
    if _is_clip(clips):
        return [clips]  # type: ignore[list-item]
    listed: list[Any] = list(clips)
    if listed and is_pair(listed[0]):
        return [listed]  # type: ignore[list-item]
    for number, clip in enumerate(listed):
        if isinstance(clip, (str, bytes, dict)) or not isinstance(clip, Iterable):
            raise ValueError(
                f"clip {number} (the first is 0) is {_kind(clip)}: give a list of clips, each of "
                "(frame, label) pairs"
            )
        if not isinstance(clip, Sized):
            raise ValueError(
                f"clip {number} (the first is 0) is {_kind(clip)}, which has no length and can be "
                "read once only: give list(clip), or a Clip that loads its frames on access"
            )
    return listed


def clip_name(clip: object) -> str:
    """Return the name of a clip for messages; a plain list of pairs has none."""
    return str(getattr(clip, "name", NO_NAME))


def pairs(clip: Iterable[LabelledFrame]) -> Iterator[LabelledFrame]:
    """Yield the (frame, label) pairs of a clip; raise ValueError, with its number, for another."""
    for number, item in enumerate(clip):
        if not is_pair(item):
            raise ValueError(
                f"{clip_name(clip)}, frame {number} (the first is 0): got {_kind(item)}, not a "
                "pair: a clip holds (frame, label) pairs, (frame, None) for one without a label"
            )
        yield item


def is_pair(item: object) -> bool:
    """Tell if an item is a frame with its label: neither a clip, nor a frame, nor two frames."""
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        return False
    frame, label = item
    if not _is_array_or_none(frame) or not _is_array_or_none(label):
        return False
    # two frames in a row are no pair: a label has one plane of whole numbers
    shape: tuple[int, ...] = getattr(label, "shape", ())
    return len(shape) != 3 or shape[0] == 1 or not np.issubdtype(label.dtype, np.floating)


def _is_clip(clips):
    """Tell if it is one clip that loads its frames on access, such as datasets.clips.Clip.

    Such a clip has a name; a list of clips has none. Only its first pair is loaded to find out.
    """
    if not hasattr(clips, "name") or not isinstance(clips, Sized):
        return False
    return all(is_pair(item) for item in list(clips[:1]))


def _is_array_or_none(item):
    """Tell if it is None, an array or a PIL image."""
    return item is None or hasattr(item, "shape") or hasattr(item, "__array_interface__")


def _kind(item):
    """Say what something is, in a few words."""
    if isinstance(item, np.ndarray):
        return f"an array of the shape {item.shape}"
    if isinstance(item, (tuple, list)):
        return f"a {type(item).__name__} of {len(item)} items"
    if item is None or isinstance(item, (str, bytes, int, float)):
        return repr(item)[:60]
    return f"a {type(item).__name__}"
