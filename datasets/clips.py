"""A clip: frames in order with the labels that exist for them, loaded when asked for."""

from datasets.errors import DatasetError


class Clip:
    """A lazily loaded sequence of `(in_, label)` pairs.

    `in_` is the 3 x H x W float32 BGR net input, `label` H x W uint8 or None where the frame has
    no label. Supports len, indexing, slicing (to a shorter Clip) and iteration.

    Args:
        name: what to call the clip in reports.
        frames: one identifier a frame, in time order.
        load_image: identifier -> PIL RGB image.
        load_label: identifier -> 1 x H x W uint8, or None.
        preprocess: PIL image -> net input.
    """

    def __init__(self, name, frames, load_image, load_label, preprocess):
        self.name = name
        self.frames = list(frames)
        self._load_image = load_image
        self._load_label = load_label
        self._preprocess = preprocess

    def __len__(self):
        return len(self.frames)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return Clip(
                self.name, self.frames[i], self._load_image, self._load_label, self._preprocess
            )
        return self._preprocess(self.image(i)), self.label(i)

    def __repr__(self):
        return f"Clip({self.name!r}, {len(self)} frames)"

    def image(self, i):
        """Frame `i` as a PIL RGB image."""
        return self._load_image(self.frames[i])

    def label(self, i):
        """Label of frame `i`, H x W uint8 with 255 = ignore, or None where there is none."""
        label = self._load_label(self.frames[i])
        return None if label is None else label[0]

    def images(self):
        """All frames, a list of PIL RGB images."""
        return [self.image(i) for i in range(len(self))]

    def labels(self):
        """The labels of all frames, a list with None for those without, no frame loaded."""
        return [self.label(i) for i in range(len(self))]


def check_length(length):
    """Raise DatasetError unless `length`, the frames that a clip is to have, is at least 1."""
    if length < 1:
        raise DatasetError(f"a clip of {length} frames was asked for: give a length of at least 1")


def without_contained(clips):
    """The list `clips` without those whose frames all lie in another one, so that the labels of
    such a clip are not run and scored twice. Of equal clips the first stays.
    """
    frames = [set(clip.frames) for clip in clips]
    return [
        clip
        for i, clip in enumerate(clips)
        if not any(
            frames[i] < other or frames[i] == other and j < i for j, other in enumerate(frames)
        )
    ]
