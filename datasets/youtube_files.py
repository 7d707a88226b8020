"""The files of Youtube-Objects: numbered frames and masks, and lists of shots."""

import re

from datasets.errors import DatasetError
from datasets.files import image_size, open_image, read_names


def number(idx):
    """The number of a frame or mask: 12 of 12, 'frame0012', 'frame0012.jpg' and '00012'."""
    found = re.fullmatch(r"(?:frame)?(\d+)(?:\.jpg)?", str(idx))
    if not found:
        raise DatasetError(f"{idx!r}: neither the number of a frame nor a name such as frame0001")
    return int(found[1])


def list_folders(folder):
    """Names of the folders in `folder`. Raises DatasetError if it is missing."""
    _check_folder(folder)
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def list_numbers(folder, prefix):
    """The numbers of the files {prefix}{digits}.jpg in `folder`, in order.

    Raises DatasetError if there are none.
    """
    _check_folder(folder)
    digits = [path.stem.removeprefix(prefix) for path in folder.glob(f"{prefix}*.jpg")]
    numbers = sorted(int(text) for text in digits if text.isdecimal())
    if not numbers:
        raise DatasetError(f"{folder}: holds no {prefix}*.jpg; unpack the shot again")
    return numbers


def read_shots(path, known):
    """The (class, video, shot) that the text file `path` lists, one class/video/shot a line.

    Raises DatasetError if there is no such file, or for a line that is not one of `known`.
    """
    names = read_names(
        path,
        "Youtube-Objects has no official split: leave split away, or write "
        "one class/video/shot a line there",
    )
    shots = [tuple(name.split("/")) for name in names]
    for shot in shots:
        if shot not in known:
            raise DatasetError(f"{path}: {'/'.join(shot)} is no class/video/shot with masks")
    return shots


def open_mask(mask_path, frame_path, side):
    """A mask as a grey PIL image, and the (width, height) of its frame at longer side `side`.

    A mask may be of another resolution than its frame, as both are resized in any case. Raises
    DatasetError naming the files if the frame is missing or of another aspect.
    """
    if mask_path.is_file() and not frame_path.is_file():
        raise DatasetError(
            f"{mask_path}: a mask without its frame {frame_path}; the masks are of "
            "v1, later versions of the frames are numbered anew"
        )
    mask = open_image(mask_path).convert("L")
    size = fit(image_size(frame_path), side)
    if max(abs(a - b) for a, b in zip(fit(mask.size, side), size, strict=True)) > 1:
        raise DatasetError(
            f"{mask_path}: the mask is {mask.width} x {mask.height}, its frame "
            f"{frame_path} is of another aspect; are both of v1?"
        )
    return mask, size


def fit(size, side):
    """`size` (width, height) scaled so that the longer of the two is `side`."""
    scale = side / max(size)
    return tuple(max(1, round(scale * length)) for length in size)


def _check_folder(folder):
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; is the dataset unpacked completely?")
