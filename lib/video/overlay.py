"""Draw a label map over its frame, in the colours that H.264 stores (Y'CbCr, half the chroma)."""

from collections.abc import Sequence

import av
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from lib.video.frame import Frame, upright

BT709 = 1  # FFmpeg's number of the colours of HD video
# weights of red and blue in Y'; green has the rest
WEIGHTS = {False: (0.299, 0.114), True: (0.2126, 0.0722)}
MARK = 1 / 40  # side of the mark of a stage, of the height
RAN, RESTED = 235, 16  # white and black, as Y'


class Overlay:
    """Draws label maps, half transparent, and a mark for each stage: white if it ran.

    Parameters
    ----------
    palette : K x 3 array_like
        RGB colour of each class, 0..255. Pixels of other classes stay as they are.
    stages : sequence of str
        Names of the stages to mark, none for no marks.
    """

    def __init__(self, palette: ArrayLike, stages: Sequence[str] = ()) -> None:
        self._palette, self._stages = np.asarray(palette, np.uint8), tuple(stages)
        self._tables = {hd: _half(self._palette, hd) for hd in WEIGHTS}

    def draw(self, frame: Frame, label: np.ndarray, ran: Sequence[str] = ()) -> av.VideoFrame:
        """Return a frame with its label map over it.

        Parameters
        ----------
        frame : Frame
        label : H x W uint8 array
            Of any size; it is stretched over the frame.
        ran : sequence of str
            Names of the stages that ran.

        Returns
        -------
        av.VideoFrame
            Upright, yuv420p, of even width and height.
        """
        tables = self._tables[frame.picture.colorspace == BT709]
        planes = _planes(frame)
        for plane, (table, keep) in zip(planes, tables):
            classes = _stretched(label, plane.shape)
            shift = keep[classes]
            np.right_shift(plane, shift, out=plane)
            plane += table[classes]
        self._mark(planes[0], planes[1:], ran)
        return _picture(planes)

    def _mark(self, luma, chroma, ran):
        side = max(4, 2 * round(len(luma) * MARK / 2))
        for i, stage in enumerate(self._stages):
            left, top = side + i * (side + side // 2), len(luma) - 2 * side
            box = np.s_[top : top + side, left : left + side]
            luma[box] = RAN if stage in ran else RESTED
            for plane in chroma:
                plane[top // 2 : (top + side) // 2, left // 2 : (left + side) // 2] = 128


def even(size: tuple[int, int]) -> tuple[int, int]:
    """Return a size with odd numbers made even, as yuv420p needs them."""
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def _planes(frame):
    """Return Y', Cb and Cr of a frame, upright, as arrays that may be written."""
    height, width = even((frame.picture.height, frame.picture.width))
    coded = frame.picture.reformat(
        width, height, "yuv420p", dst_color_range="MPEG", threads=1
    ).to_ndarray()
    luma = height * width
    parts = np.split(coded.reshape(-1), [luma, luma + luma // 4])
    shapes = ((height, width), *[(height // 2, width // 2)] * 2)
    planes = [part.reshape(shape) for part, shape in zip(parts, shapes)]
    return [np.array(upright(plane, frame.turn, frame.mirrored), order="C") for plane in planes]


def _picture(planes):
    coded = np.concatenate([plane.reshape(-1) for plane in planes])
    return av.VideoFrame.from_ndarray(coded.reshape(-1, planes[0].shape[1]), "yuv420p")


def _stretched(label, shape):
    if label.shape == shape:
        return label
    image = Image.fromarray(label).resize(shape[::-1], Image.Resampling.NEAREST)
    return np.asarray(image)


def _half(palette, hd):
    """Return for Y', Cb and Cr: half the value of each class, and by how many bits to shift.

    With half of the frame this is the mean of the two. A class without a colour adds nothing and
    leaves the frame as it is.
    """
    red, green, blue = np.float64(palette).T / 255
    weight_red, weight_blue = WEIGHTS[hd]
    y = weight_red * red + (1 - weight_red - weight_blue) * green + weight_blue * blue
    cb = (blue - y) / (2 - 2 * weight_blue)
    cr = (red - y) / (2 - 2 * weight_red)
    keep = np.zeros(256, np.uint8)
    keep[: len(palette)] = 1
    tables = []
    for values in (16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr):
        table = np.zeros(256, np.uint8)
        table[: len(palette)] = np.round(values / 2)
        tables.append((table, keep))
    return tables
