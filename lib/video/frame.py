"""One frame of a video with its place in time, and what a net takes of it."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import ArrayLike

from lib.video.errors import VideoError

MOST_PIXELS = 2**26  # of a frame: 8192 x 8192; a net of 500 layers would not take more
TURNS = {0: 0, 90: 1, 180: 2, 270: 3}  # quarter turns against the clock


@dataclass(frozen=True)
class Frame:
    """A decoded frame.

    Attributes
    ----------
    number : int
        Place in the source, the first is 0.
    pts : int
        When it is shown, in units of `time_base`.
    time_base : Fraction
        In seconds.
    picture : av.VideoFrame
        The pixels as they were coded.
    turn : int
        Degrees against the clock, 0, 90, 180 or 270, that bring it upright.
    mirrored : bool
        Whether it is mirrored left to right, after the turn.
    duration : int
        How long it is shown, in units of `time_base`; 0 if the source does not say.
    arrived : float
        When it was decoded, by time.monotonic().
    """

    number: int
    pts: int
    time_base: Fraction
    picture: av.VideoFrame
    turn: int = 0
    mirrored: bool = False
    duration: int = 0
    arrived: float = 0.0

    @property
    def time(self) -> float:
        """When it is shown, in seconds."""
        return float(self.pts * self.time_base)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels, upright."""
        size = self.picture.height, self.picture.width
        return size[::-1] if self.turn % 180 else size

    def rgb(self) -> np.ndarray:
        """Return the upright picture, H x W x 3 uint8."""
        return upright(self.picture.to_ndarray(format="rgb24"), self.turn, self.mirrored)


def upright(pixels: np.ndarray, turn: int, mirrored: bool = False) -> np.ndarray:
    """Turn H x W (x channels) pixels by `turn` degrees against the clock, then mirror them."""
    pixels = np.rot90(pixels, TURNS[turn])
    return pixels[:, ::-1] if mirrored else pixels


def fit_size(size: tuple[int, int], into: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size of the shape of `size` that fits into another, each as (H, W).

    Parameters
    ----------
    size, into : (int, int)
        Height and width in pixels.

    Returns
    -------
    (int, int)
        Whole pixels, at least 1 each.
    """
    scale = min(Fraction(into[0], size[0]), Fraction(into[1], size[1]))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def net_input(frame: Frame, size: tuple[int, int], mean: ArrayLike) -> np.ndarray:
    """Convert a frame to the input of a net.

    Parameters
    ----------
    frame : Frame
    size : (int, int)
        Height and width in pixels; the picture is scaled to it.
    mean : array_like
        Of each channel, 3 values in 0..255, BGR.

    Returns
    -------
    3 x H x W float32 array
        BGR, 0..255 minus the mean, upright.
    """
    height, width = size[::-1] if frame.turn % 180 else size
    # one thread: the net has the others
    small = frame.picture.reformat(width, height, "bgr24", interpolation="BILINEAR", threads=1)
    bgr = upright(small.to_ndarray(), frame.turn, frame.mirrored)
    in_ = np.empty((3, *size), np.float32)
    return np.subtract(bgr.transpose(2, 0, 1), np.asarray(mean, np.float32)[:, None, None], out=in_)


def check_size(place: str, width: int, height: int) -> None:
    """Raise VideoError if a frame has no pixels, or more than `MOST_PIXELS`."""
    if width < 1 or height < 1 or width * height > MOST_PIXELS:
        raise VideoError(
            f"{place}: a frame of {width} x {height} pixels: give a video of 1 to {MOST_PIXELS} "
            "pixels a frame"
        )
