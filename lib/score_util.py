"""Segmentation scores from confusion counts: accuracy, mean accuracy, mean IU, weighted IU.

A confusion matrix `hist` is n x n int64: hist[i, j] pixels of the true class i were labelled j.
The definitions are those of Long, Shelhamer and Darrell (arXiv 1411.4038, section 5). A class is
left out of a mean where its term is 0/0: of the mean class accuracy if it is not in the ground
truth, of the mean IU if it is neither in the ground truth nor in the output.
"""

from typing import NamedTuple

import numpy as np

from lib.labels import IGNORE


class Summary(NamedTuple):
    """Scores as shares 0..1, nan where nothing was scored."""

    acc: float
    cl_acc: float
    mean_iu: float
    fw_iu: float


def fast_hist(a, b, n, ignore=IGNORE):
    """Confusion counts of the labels `a` (ground truth) and `b` (output), integer arrays alike.

    Pixels where a == ignore are not counted. Returns n x n int64. Raises ValueError where the
    shapes differ, the labels are not integer, or a counted label is not in 0..n-1.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise ValueError(
            f"ground truth has the shape {a.shape}, the output {b.shape}: score the "
            "output at the size of its label"
        )
    counted = a != ignore
    a, b = a[counted], b[counted]
    for what, labels in (("ground truth", a), ("output", b)):
        _check_range(what, labels, n, ignore)
    return np.bincount(a.astype(np.int64) * n + b, minlength=n * n).reshape(n, n)


def get_scores(hist):
    """(acc, cl_acc, mean_iu, fw_iu), a Summary, of a confusion matrix, n x n counts."""
    hist = np.asarray(hist, np.float64)
    right, truth, iu = np.diag(hist), hist.sum(1), class_iu(hist)
    with np.errstate(invalid="ignore"):  # 0/0 is nan: absent, see the head of this file
        acc = right.sum() / hist.sum()
        fw_iu = (truth[truth > 0] * iu[truth > 0]).sum() / hist.sum()
        class_acc = right / truth
    return Summary(
        acc=float(acc),
        cl_acc=_mean_of_present(class_acc),
        mean_iu=_mean_of_present(iu),
        fw_iu=float(fw_iu),
    )


def class_iu(hist):
    """The IU of each class, n float64, nan for classes in neither ground truth nor output."""
    hist = np.asarray(hist, np.float64)
    right = np.diag(hist)
    with np.errstate(invalid="ignore"):
        return right / (hist.sum(1) + hist.sum(0) - right)


def score_out_gt(out, gt, n_cl):
    """Confusion counts, n_cl x n_cl, of an output label map and its ground truth.

    out  H x W integer
    gt   H x W or, as load_label of a dataset gives it, 1 x H x W
    """
    return fast_hist(_plane(gt, out), out, n_cl)


def score_out_gt_bdry(out, gt, bdry, n_cl):
    """Confusion counts as `score_out_gt`, of the pixels where the mask `bdry`, H x W, is not 0."""
    gt, out, near = _plane(gt, out), np.asarray(out), np.asarray(bdry) != 0
    if not near.shape == gt.shape == out.shape:
        raise ValueError(
            f"the boundary mask has the shape {near.shape}, the ground truth "
            f"{gt.shape}, the output {out.shape}: make the mask from this very label"
        )
    return fast_hist(gt[near], out[near], n_cl)


def report_scores(meta, hist, class_names=None):
    """Print the scores of a confusion matrix under the title `meta`; returns their Summary."""
    print(f">>> {meta}\n{scores_text(hist, class_names)}")
    return get_scores(hist)


def scores_text(hist, class_names=None):
    """The scores of a confusion matrix as text, in percent, and what the means leave out."""
    summary = get_scores(hist)
    names = class_names or [str(i) for i in range(len(hist))]
    width = max(map(len, names))
    lines = [
        f"overall accuracy   {summary.acc:7.2%}",
        f"mean class acc.    {summary.cl_acc:7.2%}",
        f"mean IU            {summary.mean_iu:7.2%}",
        f"freq. weighted IU  {summary.fw_iu:7.2%}",
    ]
    lines += [
        f"  {name:{width}} IU {'absent' if np.isnan(iu) else format(iu, '7.2%'):>7}"
        for name, iu in zip(names, class_iu(hist), strict=True)
    ]
    truth, output = np.sum(hist, 1), np.sum(hist, 0)
    for count, left_out, where in (
        (truth, "mean class accuracy", "in the ground truth"),
        (truth + output, "mean IU", "in ground truth or output"),
    ):
        absent = [name for name, pixels in zip(names, count, strict=True) if not pixels]
        if absent:
            lines.append(f"left out of the {left_out}, never {where}: {', '.join(absent)}")
    return "\n".join(lines)


class Scores:
    """Confusion counts added up over frames, and their scores.

    n_classes    labels are 0..n_classes-1
    class_names  one str a class, for reports; the numbers where not given
    ignore       ground truth of pixels that are not counted
    """

    def __init__(self, n_classes, class_names=None, ignore=IGNORE):
        if class_names is not None and len(class_names) != n_classes:
            raise ValueError(
                f"{len(class_names)} class names for {n_classes} classes: "
                "give one name a class, in the order of the labels"
            )
        self.n_classes, self.ignore = n_classes, ignore
        self.class_names = [str(n) for n in class_names or range(n_classes)]
        self.hist = np.zeros((n_classes, n_classes), np.int64)

    def add(self, out, gt, region=None):
        """Count one output label map, H x W, against its ground truth, H x W or 1 x H x W.

        region  callable, ground truth H x W -> H x W bool: count these pixels only
        """
        gt = _plane(gt, out)
        if region is not None:
            inside = np.asarray(region(gt))
            if inside.shape != gt.shape:
                raise ValueError(
                    f"the region has the shape {inside.shape}, the ground truth "
                    f"{gt.shape}: region(label) gives one bool a pixel"
                )
            gt = np.where(inside, gt, self.ignore)
        self.hist += fast_hist(gt, out, self.n_classes, self.ignore)

    def merge(self, other):
        """Add the counts of other Scores of as many classes. Returns self."""
        if other.n_classes != self.n_classes:
            raise ValueError(
                f"cannot merge scores of {other.n_classes} classes into scores of "
                f"{self.n_classes}: score both with the same classes"
            )
        self.hist += other.hist
        return self

    def summary(self):
        """The Summary (acc, cl_acc, mean_iu, fw_iu) of all that was added."""
        return get_scores(self.hist)

    def class_iu(self):
        """The IU of each class, nan for those that never occurred."""
        return class_iu(self.hist)

    def report(self):
        """`scores_text` of all that was added."""
        return scores_text(self.hist, self.class_names)


def _plane(gt, out):
    """Ground truth without the leading axis that load_label gives it and `out` lacks."""
    gt = np.asarray(gt)
    return gt[0] if gt.ndim == np.ndim(out) + 1 and len(gt) == 1 else gt


def _mean_of_present(values):
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


def _check_range(what, labels, n, ignore):
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{what} is {labels.dtype}: labels are integers, cast them")
    if labels.size and not 0 <= (worst := _furthest(labels, n)) < n:
        raise ValueError(
            f"{what} has the label {worst}, classes are 0..{n - 1}: give the "
            "number of classes of this dataset, or map what is not to be scored "
            f"to {ignore}"
        )


def _furthest(labels, n):
    low, high = int(labels.min()), int(labels.max())
    return low if low < 0 else high
