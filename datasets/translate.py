"""Video from a still: a window that moves over it, so that all there is of motion is known."""

from datasets.errors import DatasetError


def translated_boxes(size, shift, num_frames, name="the image"):
    """Windows (left, top, right, bottom) that move over an image of `size` (width, height).

    They are `num_frames`, each `shift` pixels further along the longer side (down a square), and
    end at its end; the shorter side they span. Raises DatasetError, calling the image `name`, if
    nothing would be left of the window.
    """
    width, height = size
    if num_frames < 1 or shift < 0 or shift != int(shift):
        raise DatasetError(
            f"{num_frames} frames and a shift of {shift} pixels were asked for: "
            "give at least 1 frame and a shift of 0 or more whole pixels"
        )
    shift = int(shift)
    length = max(size) - shift * (num_frames - 1)
    if length < 1:
        raise DatasetError(
            f"{name}: {width} x {height} pixels are too few for {num_frames} frames "
            f"{shift} pixels apart; ask for fewer frames or a smaller shift"
        )
    starts = [shift * k for k in range(num_frames)]
    if width > height:
        return [(start, 0, start + length, height) for start in starts]
    return [(0, start, width, start + length) for start in starts]


def crop_label(label, box):
    """The part of `label` (... x H x W array) inside `box` (left, top, right, bottom)."""
    left, top, right, bottom = box
    return label[..., top:bottom, left:right]
