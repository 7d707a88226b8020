"""Lists and labels of NYUDv2: the images of a split and the raw frames they were cropped from."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from datasets.errors import DatasetError
from datasets.files import IGNORE, check_label_size, read_lines, read_names
from datasets.raw_video import frame_name
from datasets.reading.gate import is_there, list_names
from datasets.reading.matfile import open_mat

RawFrame = tuple[str, str]  # video, name of the frame


def read_ids(root: Path, split: str) -> list[str]:
    """Read the ids of the images of a split from root/{split}.txt, else root/{split}.mat.

    Parameters
    ----------
    root : Path
        Folder of the dataset. The .mat file holds the ids as 'split_ids': numbers or strings,
        with or without 'img_'.
    split : str
        Name of the split.

    Returns
    -------
    list of str
        The ids, such as '5001'.

    Raises
    ------
    DatasetError
        If neither file exists, the list is empty, or an entry is not an id.
    """
    txt, mat = root / f"{split}.txt", root / f"{split}.mat"
    if is_there(mat) and not is_there(txt):
        path, entries = mat, list(open_mat(mat, "split_ids").ravel())
    else:
        files = [Path(name) for name in list_names(root)]
        stems = {file.stem for file in files if file.suffix in (".txt", ".mat")}
        splits = ", ".join(sorted(stem for stem in stems if "_raw" not in stem)) or "none"
        path, entries = txt, read_names(txt, f"nor is there {mat.name}; there is {splits}")
    ids = [_parse_id(entry, path) for entry in entries]
    if not ids:
        raise DatasetError(f"{path}: lists no ids; download it again")
    return ids


def read_raw_frames(root: Path, split: str, ids: list[str]) -> list[RawFrame | None]:
    """Read the raw frames of a split from root/{split}_rawImages.txt.

    Parameters
    ----------
    root : Path
        Folder of the dataset.
    split : str
        Name of the split.
    ids : list of str
        Ids of the images of the split.

    Returns
    -------
    list of (str, str) or None
        Video and frame of each id; None if its line is blank.

    Raises
    ------
    DatasetError
        If the file is missing, a line is not video/frame, or there is not one line for each id.
    """
    path = root / f"{split}_rawImages.txt"
    lines = read_lines(path, "officially only test has a list of raw frames")
    while len(lines) > len(ids) and not lines[-1]:
        lines.pop()
    if len(lines) != len(ids):
        raise DatasetError(
            f"{path}: has {len(lines)} lines for the {len(ids)} ids of {split}; "
            "line n names the raw frame of id n, or is blank if that is unknown"
        )
    return [_parse_raw_frame(line, path, number) for number, line in enumerate(lines, 1)]


def read_label(path: Path, num_classes: int, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Read a label from a MATLAB file, which holds 'segmentation': class + 1, 0 = ignore.

    Parameters
    ----------
    path : Path
        The file.
    num_classes : int
        Number of classes.
    size : (int, int)
        Width and height of the image.

    Returns
    -------
    ndarray of uint8, H x W
        Classes 0..num_classes - 1, IGNORE.

    Raises
    ------
    DatasetError
        If the file is damaged, holds a value out of range, or differs in size from its image.
    """
    label = open_mat(path, "segmentation")
    if label.ndim != 2 or label.dtype.kind not in "buif":
        raise DatasetError(
            f"{path}: 'segmentation' is {label.dtype} of shape {label.shape}, but a label is "
            "one number per pixel; is this the file of another dataset?"
        )
    check_label_size(path, label.shape[::-1], size)
    with np.errstate(invalid="ignore"):  # what does not fit is found by comparison
        values = label.astype(np.uint8)
    invalid = (values != label) | (values > num_classes)
    if invalid.any():
        raise DatasetError(
            f"{path}: label value {label[invalid][0]} is not one of 0..{num_classes}; "
            "was this label made for another class list?"
        )
    class_of = np.arange(-1, 255).astype(np.uint8)
    class_of[0] = IGNORE
    return class_of[values]


def _parse_id(entry, path):
    """Return the id in an entry of a list, as a string."""
    entry = np.asarray(entry).ravel()  # a MATLAB cell is an array in an array
    value = entry[0] if entry.size == 1 else None
    if isinstance(value, np.number) and value == np.floor(value):
        return str(int(value))
    if isinstance(value, str) and value.strip() and "/" not in value:
        return value.strip().removesuffix(".png").removeprefix("img_")
    raise DatasetError(f"{path}: {entry.tolist()!r} is not the id of an image, such as 5001")


def _parse_raw_frame(line, path, number):
    """Return (video, frame) of line `number` of a list, None if it is blank."""
    if not line:
        return None
    video, _, frame = line.rpartition("/")
    if not video or not frame:
        raise DatasetError(
            f"{path}, line {number}: {line!r} is not video/frame, such as "
            "kitchen_0001/r-1294890493.09-1806.ppm"
        )
    return video, frame_name(frame)
