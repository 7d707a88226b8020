"""Segmentation scores from confusion counts: accuracy, mean accuracy, mean IU, weighted IU.

A confusion matrix `hist` is n x n int64: hist[i, j] pixels of the true class i were labelled j.
The definitions are those of Long, Shelhamer and Darrell (arXiv 1411.4038, section 5). A class is
left out of a mean if its term is 0/0: of the mean class accuracy if it is not in the ground truth,
of the mean IU if it is neither in the ground truth nor in the output.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lib.checks import check_names, check_whole
from lib.labels import IGNORE

MOST_CLASSES = 4096  # the matrix is n x n: 134 MB
LARGE = 2**14  # pixels, from which on a table of 2**16 counts is worth its making
Region = Callable[[np.ndarray], np.ndarray]  # label H x W -> mask H x W bool


class Summary(NamedTuple):
    """Scores as shares 0..1, nan if nothing was scored.

    Attributes
    ----------
    acc : float
        Overall pixel accuracy.
    cl_acc : float
        Mean class accuracy.
    mean_iu : float
        Mean intersection over union.
    fw_iu : float
        IU weighted by the frequency of the class.
    """

    acc: float
    cl_acc: float
    mean_iu: float
    fw_iu: float


def fast_hist(a: ArrayLike, b: ArrayLike, n: int, ignore: int = IGNORE) -> np.ndarray:
    """Count a confusion matrix.

    Parameters
    ----------
    a : integer array
        Ground truth.
    b : integer array of the same shape
        Output.
    n : int
        Number of classes.
    ignore : int
        Pixels with this ground truth are not counted.

    Returns
    -------
    n x n int64 array

    Raises
    ------
    ValueError
        If the shapes differ, labels are not integer, or a counted label is not in 0..n-1.
    """
    check_whole("the number of classes", n, 1, MOST_CLASSES)
    truth, output = np.asarray(a), np.asarray(b)
    if truth.shape != output.shape:
        raise ValueError(
            f"ground truth has the shape {truth.shape}, the output {output.shape}: score the "
            "output at the size of its label"
        )
    counted = truth != ignore
    if truth.dtype == output.dtype == np.uint8 and n <= ignore < 256 and truth.size >= LARGE:
        wrong = ((truth >= n) & counted).any() or ((output >= n) & counted).any()
        if not wrong:
            return _count_bytes(truth, output, int(n), counted)
    truth, output = truth[counted], output[counted]
    for what, labels in (("ground truth", truth), ("output", output)):
        _check_range(what, labels, n, ignore)
    n = int(n)
    pairs = truth.astype(np.int64) * n + output.astype(np.int64)
    return np.bincount(pairs, minlength=n * n).reshape(n, n)


def _count_bytes(truth, output, n, counted):
    """Return `fast_hist` of uint8 maps with counted labels 0..n-1 and an ignored label above them.

    The same counts with less work per pixel: nothing is selected, indices are of one or two bytes.
    """
    if n > 15:  # pixels with a truth of n or above fall behind the matrix
        pairs = truth.ravel() * np.uint16(n) + output.ravel()
        return np.bincount(pairs, minlength=n * n)[: n * n].reshape(n, n)
    codes = truth.ravel() * np.uint8(n)  # those of pixels that do not count overflow
    codes += output.ravel()
    codes |= np.negative((~counted.ravel()).view(np.uint8))  # and become 255, above all n * n codes
    last = codes[codes.size & ~1 :]
    # two codes at a time, as a number of two bytes: half as many steps
    twos = np.bincount(codes[: codes.size & ~1].view(np.uint16), minlength=2**16).reshape(256, 256)
    counts = twos.sum(0) + twos.sum(1) + np.bincount(last, minlength=256)
    return counts[: n * n].reshape(n, n)


def as_hist(hist: ArrayLike) -> np.ndarray:
    """Return a confusion matrix as an array; raise ValueError unless it is n x n counts."""
    counts = np.asarray(hist)
    square = counts.ndim == 2 and len(counts) == counts.shape[1]
    if not square or counts.dtype.kind not in "biuf" or not (counts >= 0).all():
        raise ValueError(
            f"a confusion matrix is n x n counts, got {counts.dtype} of the shape {counts.shape}"
            f"{' with negative or no numbers' if square else ''}: give `Scores.hist`, or what "
            "fast_hist returns"
        )
    return counts


def get_scores(hist: ArrayLike) -> Summary:
    """Return the scores of a confusion matrix, n x n counts."""
    hist = as_hist(hist).astype(np.float64)
    right, truth, iu = np.diag(hist), hist.sum(1), class_iu(hist)
    with np.errstate(invalid="ignore"):  # 0/0 is nan: absent, see the module docstring
        acc = right.sum() / hist.sum()
        fw_iu = (truth[truth > 0] * iu[truth > 0]).sum() / hist.sum()
        class_acc = right / truth
    return Summary(
        acc=float(acc),
        cl_acc=_mean_of_present(class_acc),
        mean_iu=_mean_of_present(iu),
        fw_iu=float(fw_iu),
    )


def class_iu(hist: ArrayLike) -> np.ndarray:
    """Return the IU of each class, n float64: nan if in neither ground truth nor output."""
    hist = as_hist(hist).astype(np.float64)
    right = np.diag(hist)
    with np.errstate(invalid="ignore"):
        return right / (hist.sum(1) + hist.sum(0) - right)


def score_out_gt(out: np.ndarray, gt: np.ndarray, n_cl: int) -> np.ndarray:
    """Count the confusion matrix of an output label map.

    Parameters
    ----------
    out : H x W integer array
    gt : H x W or 1 x H x W integer array
        Ground truth, as load_label of a dataset returns it.
    n_cl : int
        Number of classes.

    Returns
    -------
    n_cl x n_cl int64 array
    """
    return fast_hist(_plane(gt, out), _plane(out, gt), n_cl)


def score_out_gt_bdry(out: np.ndarray, gt: np.ndarray, bdry: np.ndarray, n_cl: int) -> np.ndarray:
    """Count the confusion matrix of the pixels near boundaries.

    Parameters
    ----------
    out, gt, n_cl
        As for `score_out_gt`.
    bdry : H x W array
        Boundary mask: pixels that are not 0 are counted.

    Returns
    -------
    n_cl x n_cl int64 array

    Raises
    ------
    ValueError
        If the three maps differ in size.
    """
    gt, out, near = _plane(gt, out), _plane(out, gt), np.asarray(bdry) != 0
    if not near.shape == gt.shape == out.shape:
        raise ValueError(
            f"the boundary mask has the shape {near.shape}, the ground truth "
            f"{gt.shape}, the output {out.shape}: make the mask from this label"
        )
    return fast_hist(gt[near], out[near], n_cl)


def report_scores(
    meta: object, hist: ArrayLike, class_names: Sequence[str] | None = None
) -> Summary:
    """Print the scores of a confusion matrix under the title `meta` and return them."""
    print(f">>> {meta}\n{scores_text(hist, class_names)}")
    return get_scores(hist)


def scores_text(hist: ArrayLike, class_names: Sequence[str] | None = None) -> str:
    """Format the scores of a confusion matrix in percent.

    Parameters
    ----------
    hist : n x n counts
    class_names : sequence of str, optional
        One per class; numbers if not given.

    Returns
    -------
    str
        A line per score and per class, and which classes the means leave out.
    """
    hist = as_hist(hist)
    summary = get_scores(hist)
    names = _as_names(class_names, len(hist)) or [str(i) for i in range(len(hist))]
    width = max(map(len, names))
    lines = [
        f"overall accuracy   {summary.acc:7.2%}",
        f"mean class acc.    {summary.cl_acc:7.2%}",
        f"mean IU            {summary.mean_iu:7.2%}",
        f"freq. weighted IU  {summary.fw_iu:7.2%}",
    ]
    for name, iu in zip(names, class_iu(hist), strict=True):
        lines.append(f"  {name:{width}} IU {'absent' if np.isnan(iu) else f'{iu:.2%}':>7}")
    truth, output = hist.sum(1), hist.sum(0)
    for counts, mean, place in (
        (truth, "mean class accuracy", "in the ground truth"),
        (truth + output, "mean IU", "in ground truth or output"),
    ):
        absent = [name for name, pixels in zip(names, counts, strict=True) if not pixels]
        if absent:
            lines.append(f"left out of the {mean}, never {place}: {', '.join(absent)}")
    return "\n".join(lines)


class Scores:
    """Confusion counts added up over frames, and their scores.

    Parameters
    ----------
    n_classes : int
        Labels are 0..n_classes-1.
    class_names : sequence of str, optional
        One per class, for reports; numbers if not given.
    ignore : int
        Pixels with this ground truth are not counted.

    Attributes
    ----------
    hist : n_classes x n_classes int64 array
        The confusion matrix.

    Raises
    ------
    ValueError
        If there are not as many names as classes.
    """

    def __init__(
        self, n_classes: int, class_names: Sequence[str] | None = None, ignore: int = IGNORE
    ) -> None:
        check_whole("the number of classes", n_classes, 1, MOST_CLASSES)
        n_classes = int(n_classes)
        self.n_classes, self.ignore = n_classes, ignore
        names = _as_names(class_names, n_classes)
        self.class_names = names or [str(n) for n in range(n_classes)]
        self.hist = np.zeros((n_classes, n_classes), np.int64)

    def add(self, out: np.ndarray, gt: np.ndarray, region: Region | None = None) -> None:
        """Count one output label map.

        Parameters
        ----------
        out : H x W integer array
        gt : H x W or 1 x H x W integer array
            Ground truth.
        region : callable, optional
            Ground truth (H x W) to mask (H x W bool): count these pixels only.

        Raises
        ------
        ValueError
            If the sizes differ, or a counted label is not in 0..n_classes-1.
        """
        gt, out = _plane(gt, out), _plane(out, gt)
        if region is not None:
            if not callable(region):
                raise ValueError(
                    f"region is a {type(region).__name__}: give a function of the label, such as "
                    "lambda label: mask"
                )
            inside = np.asarray(region(gt))
            if inside.shape != gt.shape:
                raise ValueError(
                    f"the region has the shape {inside.shape}, the ground truth "
                    f"{gt.shape}: region(label) returns one bool per pixel"
                )
            gt = np.where(inside, gt, self.ignore)
        self.hist += fast_hist(gt, out, self.n_classes, self.ignore)

    def merge(self, other: "Scores") -> "Scores":
        """Add the counts of other Scores with as many classes; return self."""
        if other.n_classes != self.n_classes:
            raise ValueError(
                f"cannot merge scores of {other.n_classes} classes into scores of "
                f"{self.n_classes}: score both with the same classes"
            )
        self.hist += other.hist
        return self

    def summary(self) -> Summary:
        """Return the Summary (acc, cl_acc, mean_iu, fw_iu) of everything added."""
        return get_scores(self.hist)

    def class_iu(self) -> np.ndarray:
        """Return the IU of each class, nan for those that never occurred."""
        return class_iu(self.hist)

    def report(self) -> str:
        """Return `scores_text` of everything added."""
        return scores_text(self.hist, self.class_names)


def _as_names(class_names, n_classes):
    if class_names is None:
        return None
    names = [str(name) for name in class_names]
    if len(names) != n_classes:
        raise ValueError(
            f"{len(names)} class names for {n_classes} classes: "
            "give one name per class, in the order of the labels"
        )
    check_names("class names", class_names if isinstance(class_names, str) else names)
    return names


def _plane(gt, out):
    """Return one map without the leading axis that load_label adds and the other lacks."""
    gt = np.asarray(gt)
    return gt[0] if gt.ndim == np.ndim(out) + 1 and len(gt) == 1 else gt


def _mean_of_present(values):
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


def _check_range(what, labels, n, ignore):
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{what} is {labels.dtype}: labels are integers, cast them")
    if not labels.size:
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= n:
        raise ValueError(
            f"{what} has the label {low if low < 0 else high}, classes are 0..{n - 1}: give the "
            f"number of classes of this dataset, or map what is not to be scored to {ignore}"
        )
