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

from lib.labels import IGNORE

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
    truth, output = np.asarray(a), np.asarray(b)
    if truth.shape != output.shape:
        raise ValueError(
            f"ground truth has the shape {truth.shape}, the output {output.shape}: score the "
            "output at the size of its label"
        )
    counted = truth != ignore
    truth, output = truth[counted], output[counted]
    for what, labels in (("ground truth", truth), ("output", output)):
        _check_range(what, labels, n, ignore)
    return np.bincount(truth.astype(np.int64) * n + output, minlength=n * n).reshape(n, n)


def get_scores(hist: ArrayLike) -> Summary:
    """Return the scores of a confusion matrix, n x n counts."""
    hist = np.asarray(hist, np.float64)
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
    hist = np.asarray(hist, np.float64)
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
    return fast_hist(_plane(gt, out), out, n_cl)


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
    gt, out, near = _plane(gt, out), np.asarray(out), np.asarray(bdry) != 0
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
    hist = np.asarray(hist)
    summary = get_scores(hist)
    names = class_names or [str(i) for i in range(len(hist))]
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
        if class_names is not None and len(class_names) != n_classes:
            raise ValueError(
                f"{len(class_names)} class names for {n_classes} classes: "
                "give one name per class, in the order of the labels"
            )
        self.n_classes, self.ignore = n_classes, ignore
        self.class_names = [str(n) for n in class_names or range(n_classes)]
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
        gt = _plane(gt, out)
        if region is not None:
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


def _plane(gt, out):
    """Return the ground truth without the leading axis that load_label adds and `out` lacks."""
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
