"""The lists and labels of NYUDv2: the images of a split, the raw frames they were cut from."""

import numpy as np

from datasets.errors import DatasetError
from datasets.files import IGNORE, check_label_size, read_lines, read_names
from datasets.matfile import open_mat
from datasets.raw_video import frame_name


def read_ids(root, split):
    """Ids of the images of `split`, as strings, from root/{split}.txt or else root/{split}.mat.

    The .mat file holds them as 'split_ids': numbers or strings, with or without 'img_'. Raises
    DatasetError naming the file where there is none, or an entry that is no id.
    """
    txt, mat = root / f"{split}.txt", root / f"{split}.mat"
    if mat.is_file() and not txt.is_file():
        path, entries = mat, open_mat(mat, "split_ids").ravel()
    else:
        found = {f.stem for suffix in ("txt", "mat") for f in root.glob(f"*.{suffix}")}
        lists = ", ".join(sorted(name for name in found if "_raw" not in name)) or "none"
        path, entries = txt, read_names(txt, f"neither is {mat.name}; there is {lists}")
    ids = [_id(entry, path) for entry in entries]
    if not ids:
        raise DatasetError(f"{path}: lists no ids; fetch it again")
    return ids


def read_raw_frames(root, split, ids):
    """The (video, frame) of each of the `ids` of `split`, None where the list has a blank line.

    Raises DatasetError naming root/{split}_rawImages.txt if it is missing, an entry is not
    video/frame, or it has not one line for each id.
    """
    path = root / f"{split}_rawImages.txt"
    lines = read_lines(path, "officially only test has the list of raw frames")
    while len(lines) > len(ids) and not lines[-1]:
        lines.pop()
    if len(lines) != len(ids):
        raise DatasetError(
            f"{path}: has {len(lines)} lines for the {len(ids)} ids of {split}; "
            "line n names the raw frame of id n, blank where it is not known"
        )
    return [_raw_frame(line, path, number) for number, line in enumerate(lines, 1)]


def read_label(path, num_classes, size):
    """The H x W uint8 label in the MATLAB file `path`: 0..num_classes - 1, IGNORE.

    The file holds 'segmentation', one higher, with 0 = ignore. Raises DatasetError naming the file
    if it is damaged, out of range or not of `size`, the (width, height) of its image.
    """
    label = open_mat(path, "segmentation")
    if label.ndim != 2 or label.dtype.kind not in "buif":
        raise DatasetError(
            f"{path}: 'segmentation' is {label.dtype} of shape {label.shape}, but "
            "a label is one number a pixel; is this the file of another dataset?"
        )
    wrong = ~np.isin(label, np.arange(num_classes + 1))
    if wrong.any():
        raise DatasetError(
            f"{path}: label value {label[wrong][0]} is not one of 0..{num_classes}; "
            "is this label made for another class list?"
        )
    check_label_size(path, label.shape[::-1], size)
    return np.where(label == 0, IGNORE, label.astype(np.int64) - 1).astype(np.uint8)


def _id(entry, path):
    entry = np.asarray(entry).ravel()  # a MATLAB cell is an array in an array
    value = entry[0] if entry.size == 1 else None
    if isinstance(value, np.number) and value == np.floor(value):
        return str(int(value))
    if isinstance(value, str) and value.strip() and "/" not in value:
        return value.strip().removesuffix(".png").removeprefix("img_")
    raise DatasetError(f"{path}: {entry.tolist()!r} is no id of an image such as 5001")


def _raw_frame(line, path, number):
    if not line:
        return None
    video, _, frame = line.rpartition("/")
    if not video or not frame:
        raise DatasetError(
            f"{path}, line {number}: {line!r} is not video/frame, such as "
            "kitchen_0001/r-1294890493.09-1806.ppm"
        )
    return video, frame_name(frame)
