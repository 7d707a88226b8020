"""Inventories for datasets.check: compare what each dataset should hold with what is there.

INVENTORIES maps the name of a dataset to a function of a Report and the folder of the dataset. The
function adds counts and faults to the report, and may raise DatasetError.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

from datasets.camvid import camvid
from datasets.cityscapes import IMAGE, cityscapes
from datasets.errors import DatasetError
from datasets.frame_files import names_with
from datasets.nyud_seg import nyud
from datasets.pascal_voc import SEG11VALID, pascal
from datasets.reading.gate import is_folder, is_there, list_folders
from datasets.report import Report
from datasets.youtube import youtube

OPENED = 8  # images and labels opened per split, evenly spaced
SNIPPET = 20  # frames of Cityscapes up to and including the labelled one


def inspect_voc(report: Report, root: Path) -> None:
    """Count the images, labels and lists of PASCAL VOC."""
    data = pascal(root)
    images, labels = _stems(root / "JPEGImages", ".jpg"), _stems(root / "SegmentationClass", ".png")
    report.count("files", images=len(images), labels=len(labels))
    report.fault("labels without their image", labels - images)
    lists = _stems(root / "ImageSets" / "Segmentation", ".txt")
    for split in sorted(lists | {"train", "val"}):
        names = set(report.attempt(data.get_dset, split))
        report.count(split, images_listed=len(names))
        report.fault(f"images of {split}.txt that are not there", names - images)
        if split != "test":  # its labels are not public
            report.fault(f"images of {split}.txt without a label", names - labels)
            _open_some(report, zip(names & images & labels), data.load_image, data.load_label)
    if "seg11valid" not in lists:
        report.fault(f"no ImageSets/Segmentation/seg11valid.txt: {SEG11VALID}")


def inspect_nyud(report: Report, root: Path) -> None:
    """Count the labelled images, lists and raw video of NYUDv2."""
    data = nyud(root)
    images, labels = (
        {name.removeprefix("img_") for name in _stems(root / folder, suffix)}
        for folder, suffix in (("images", ".png"), ("segmentation", ".mat"))
    )
    report.count("files", images=len(images), labels=len(labels))
    report.fault("labels without their image", labels - images)
    frames = {
        video: report.attempt(data.list_frames, video) for video in report.attempt(data.list_vids)
    }
    report.count("raw", videos=len(frames), frames=sum(map(len, frames.values())))
    for split in ("train", "val", "test"):
        names = set(report.attempt(data.get_dset, split))
        report.count(split, images_listed=len(names))
        report.fault(f"images of {split} that are not there", names - images)
        report.fault(f"images of {split} without a label", names - labels)
        _open_some(report, zip(names & images & labels), data.load_image, data.load_label)
        if names and (split == "test" or is_there(root / f"{split}_rawImages.txt")):
            raw = [frame for frame in report.attempt(data.get_dset, split, True) if frame]
            report.count(f"{split}_rawImages", frames_listed=len(raw))
            report.fault(
                f"raw frames of {split} that are not there",
                ["/".join(frame) for frame in raw if frame[1] not in frames.get(frame[0], ())],
            )


def inspect_youtube(report: Report, root: Path) -> None:
    """Count the shots, masks and lists of Youtube-Objects."""
    data = youtube(root)
    shots = [
        (class_, vid, shot)
        for class_ in data.classes
        for vid in data.list_vids(class_)
        for shot in report.attempt(data.list_shots, class_, vid)
    ]
    frames = {shot: report.attempt(data.list_frames, *shot) for shot in shots}
    report.count("v1", **_levels(frames), frames=sum(map(len, frames.values())))
    masked = report.attempt(data.load_dataset)
    masks = {shot: report.attempt(data.list_label_frames, *shot) for shot in masked}
    report.count("youtube_masks", **_levels(masks), masks=sum(map(len, masks.values())))
    with_masks = {class_ for class_, *_ in masked}
    if without := [class_ for class_ in data.classes[1:] if class_ not in with_masks]:
        report.note(f"classes that have no masks here: {', '.join(without)}")
    pairs = {(*shot, mask) for shot in masked for mask in masks[shot]}
    framed = {(*shot, frame) for shot in masked for frame in frames.get(shot, ())}
    lost = pairs - framed
    report.fault(
        "masks without their frame", [f"{'/'.join(shot)}/{mask:05d}" for *shot, mask in lost]
    )
    if masked and not lost:
        report.attempt(data.clips, 1, None, 0)  # finds gaps
    _open_some(report, pairs - lost, data.load_frame, data.load_label)
    for split in sorted(_stems(root, ".txt")):
        report.count(split, shots_listed=len(report.attempt(data.load_dataset, split)))


def inspect_cityscapes(report: Report, root: Path) -> None:
    """Count the images, labels and video of Cityscapes for each split."""
    data = cityscapes(root)
    for split in list_folders(root / "gtFine"):
        labels = set(report.attempt(data.list_label_frames, split))
        images, video = (
            _frames_of(root / package / split)
            for package in ("leftImg8bit", "leftImg8bit_sequence")
        )
        report.count(split, images=len(images), labels=len(labels), frames_of_video=len(video))
        report.fault(f"labels of {split} without their image", labels - images - video)
        report.fault(f"images of {split} without a label", images - labels)
        if video:
            report.fault(
                f"labelled frames of {split} without the {SNIPPET - 1} frames before",
                [name for name in labels if not _has_snippet(data, split, name)],
            )
        else:
            report.fault(f"no leftImg8bit_sequence/{split}/: without it there is no video")
        _open_some(
            report, product([split], labels & (images | video)), data.load_image, data.load_label
        )


def inspect_camvid(report: Report, root: Path) -> None:
    """Count the frames and labels of CamVid for each split."""
    data = camvid(root)
    for split in ("train", "val", *(["test"] if is_folder(root / "testannot") else [])):
        frames = set(report.attempt(data.get_dset, split))
        labels = _stems(root / f"{split}annot", ".png")
        report.count(split, frames=len(frames), labels=len(labels))
        report.fault(f"frames of {split} without a label", frames - labels)
        report.fault(f"labels of {split} without their frame", labels - frames)
        if frames and not labels - frames:
            report.attempt(data.clips, split)
        _open_some(report, product([split], labels & frames), data.load_image, data.load_label)


INVENTORIES: dict[str, Callable[[Report, Path], None]] = {
    "voc": inspect_voc,
    "nyud": inspect_nyud,
    "youtube": inspect_youtube,
    "cityscapes": inspect_cityscapes,
    "camvid": inspect_camvid,
}


def _open_some(report, items, *loaders):
    """Call each loader with some of the `items`, tuples of arguments."""
    items = sorted(items)
    for item in items[:: max(1, len(items) // OPENED)][:OPENED]:
        for load in loaders:
            report.attempt(load, *item)


def _stems(folder, suffix):
    """Return the stems of the files with `suffix` in `folder`."""
    if not is_folder(folder):
        return set()
    return {name.removesuffix(suffix) for name in names_with(folder, suffix)}


def _frames_of(folder):
    """Return the names of the frames of Cityscapes in the cities of `folder`."""
    cities = list_folders(folder) if is_folder(folder) else []
    return {
        name.removesuffix(IMAGE) for city in cities for name in names_with(folder / city, IMAGE)
    }


def _levels(shots):
    """Count the classes, videos and shots of a collection of (class, video, shot)."""
    return {
        level: len({shot[:k] for shot in shots})
        for k, level in enumerate(("classes", "videos", "shots"), 1)
    }


def _has_snippet(data, split, name):
    """Return whether all frames of Cityscapes up to labelled frame `name` exist."""
    try:
        return bool(data.list_frame_sequence(split, name, SNIPPET))
    except DatasetError:
        return False
