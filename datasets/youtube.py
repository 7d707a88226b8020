"""Youtube-Objects v1 with the masks of Jain & Grauman: video of 10 classes of object, one a shot.

Layout (... is {class}/data/{video}/shots/{shot}):
    ROOT/v1/.../frame{NNNN}.jpg                 the frames, numbered from 1
    ROOT/youtube_masks/.../labels/{NNNNN}.jpg   grey masks of some frames: above 15 is the object
    ROOT/{split}.txt                            optional, one class/video/shot a line
The dataset has no official split; the .txt files are ours. Video: Prest et al., CVPR 2012; masks:
Jain & Grauman, ECCV 2014.
"""
import re
from functools import partial

import numpy as np
from PIL import Image

from datasets.clips import Clip
from datasets.errors import DatasetError
from datasets.files import IGNORE, image_size, open_image, open_rgb, read_names
from datasets.palette import Palette
from datasets.pascal_voc import pascal
from datasets.preprocess import preprocess
from datasets.sources import find_root

CLASSES = ('background', 'aeroplane', 'bird', 'boat', 'car', 'cat', 'cow', 'dog', 'horse',
           'motorbike', 'train')
OBJECT_LEVEL = 15  # of a mask: JPEG smears its black and white, grey levels above are the object


def _from_voc_table():
    table = np.zeros(256, np.uint8)
    for k, name in enumerate(CLASSES):
        table[pascal.classes.index(name)] = k
    table[IGNORE] = IGNORE
    return table


class youtube:
    """Youtube-Objects at `root`, or where datasets.sources.find_root finds it.

    Frames and masks are resized so that their longer side has `side` pixels.

    Attributes: dir (Path), side, mean (3 BGR floats), classes (11 names), palette (a Palette of
    11, the colours of VOC), from_voc (uint8[256]: the id here of a VOC id, 0 for classes that
    only VOC has; from_voc[label] maps a label). Frames are named 'frame0001' and masks '00001';
    methods that take an `idx` take either name or the number. Raises DatasetError if the dataset
    is not there.
    """

    classes = CLASSES
    palette = Palette([pascal.palette[pascal.classes.index(name)] for name in CLASSES])
    mean = pascal.mean
    from_voc = _from_voc_table()

    def __init__(self, root=None, side=500):
        self.dir = find_root('youtube', root, needs='v1')
        self.side = side

    def list_vids(self, class_):
        """Names of the videos of `class_`; none where the class has no folder."""
        return self._list_vids('v1', class_)

    def list_shots(self, class_, vid):
        """Names of the shots of a video."""
        return _folders(self._video('v1', class_, vid))

    def list_frames(self, class_, vid, shot):
        """Names of the frames of a shot, such as 'frame0001', in order of their numbers."""
        return _numbered(self._frame_folder(class_, vid, shot), 'frame')

    def list_label_vids(self, class_):
        """Names of the videos of `class_` that have masks."""
        return self._list_vids('youtube_masks', class_)

    def list_label_shots(self, class_, vid):
        """Names of the shots of a video that have masks."""
        return _folders(self._video('youtube_masks', class_, vid))

    def list_label_frames(self, class_, vid, shot):
        """Names of the masks of a shot, such as '00001', in order of their numbers."""
        return _numbered(self._mask_folder(class_, vid, shot), '')

    def load_dataset(self, split=None):
        """All (class, video, shot) that have masks, or those that ROOT/{split}.txt lists.

        Raises DatasetError if there are none, or for a line that names no shot with masks.
        """
        shots = [(class_, vid, shot) for class_ in self.classes[1:]
                 for vid in self.list_label_vids(class_)
                 for shot in self.list_label_shots(class_, vid)]
        if not shots:
            raise DatasetError(f'{self.dir / "youtube_masks"}: holds no masks; unpack the masks of '
                               'Youtube-Objects v1 there, {class}/data/{video}/shots/{shot}/labels')
        return shots if split is None else self._read_split(split, set(shots))

    def load_frame(self, class_, vid, shot, idx):
        """Frame `idx` as a PIL RGB image whose longer side is `side`."""
        im = open_rgb(self._frame_path(class_, vid, shot, idx))
        return im.resize(self._resized(im.size), Image.BILINEAR)

    def load_label(self, class_, vid, shot, idx, shape=None):
        """Mask of frame `idx` as 1 x H x W uint8: 1 on the object, 0 elsewhere.

        It has the size of the loaded frame, or the (height, width) `shape`. Raises DatasetError
        if mask or frame is missing or damaged, or if they differ in their aspect ratio.
        """
        mask, size = self._open_pair(class_, vid, shot, idx)
        if shape is not None:
            size = shape[-1], shape[-2]
        mask = mask.resize(size, Image.NEAREST)
        return (np.asarray(mask) > OBJECT_LEVEL).astype(np.uint8)[np.newaxis]

    def make_label(self, label, class_):
        """A mask of 0 and 1 with the 11-class id of `class_` for 1 (uint8, same shape)."""
        return np.asarray(label, np.uint8) * np.uint8(self.classes.index(self._known(class_)))

    def convert_yt2voc_label(self, label, class_, voc_classes):
        """A mask of 0 and 1 with the id that `class_` has in `voc_classes` for 1."""
        return np.asarray(label, np.uint8) * np.uint8(voc_classes.index(self._known(class_)))

    def preprocess(self, im):
        """PIL image to net input: 3 x H x W float32 BGR, mean subtracted."""
        return preprocess(im, self.mean)

    def clips(self, period=10, split=None, warmup=None, ids='youtube'):
        """One Clip for each shot of load_dataset(split): every `period`-th frame, with its mask.

        The frames are those in step with the first mask, from the start of the shot to its last
        mask. Frames before number `warmup` (2 * period + 1, as in the paper, where the period is
        called clock rate) are run to fill the clock, but have no label. Labels hold the 11 ids,
        or the 21 of VOC for ids='voc'. A shot with no label left is left out.
        """
        if period < 1 or ids not in ('youtube', 'voc'):
            raise DatasetError(f"clips(period={period}, ids={ids!r}): the period is at least 1, "
                               "ids 'youtube' or 'voc'")
        warmup = 2 * period + 1 if warmup is None else warmup
        clips = []
        for name in self.load_dataset(split):
            masks = {number(mask) for mask in self.list_label_frames(*name)}
            frames = [n for n in map(number, self.list_frames(*name))
                      if (n - min(masks)) % period == 0 and n <= max(masks)]
            scored = {n for n in masks if n >= warmup and (n - min(masks)) % period == 0}
            for n in sorted(scored - set(frames)):
                self._open_pair(*name, n)  # raises: a mask without its frame
            if scored:
                clips.append(Clip('/'.join(name), frames, partial(self.load_frame, *name),
                                  partial(self._clip_label, name, scored, ids), self.preprocess))
        return clips

    def _clip_label(self, name, scored, ids, n):
        if n not in scored:
            return None
        label = self.load_label(*name, n)
        if ids == 'voc':
            return self.convert_yt2voc_label(label, name[0], pascal.classes)
        return self.make_label(label, name[0])

    def _open_pair(self, class_, vid, shot, idx):
        """The mask as a grey PIL image, and the size that its frame is resized to."""
        mask_path = self._mask_folder(class_, vid, shot) / f'{number(idx):05d}.jpg'
        frame_path = self._frame_path(class_, vid, shot, idx)
        if mask_path.is_file() and not frame_path.is_file():
            raise DatasetError(f'{mask_path}: a mask without its frame {frame_path}; unpack the '
                               'frames of v1 again (later versions number them anew)')
        mask = open_image(mask_path).convert('L')
        size = self._resized(image_size(frame_path))
        if max(abs(a - b) for a, b in zip(self._resized(mask.size), size, strict=True)) > 1:
            raise DatasetError(f'{mask_path}: the mask is {mask.width} x {mask.height}, its frame '
                               f'{frame_path} is not of that aspect; are both from v1?')
        return mask, size

    def _read_split(self, split, known):
        path = self.dir / f'{split}.txt'
        names = read_names(path, 'Youtube-Objects has no official split: leave split away, or '
                                 'write one class/video/shot a line there')
        shots = [tuple(name.split('/')) for name in names]
        for shot in shots:
            if shot not in known:
                raise DatasetError(f'{path}: {"/".join(shot)} is no class/video/shot with masks')
        return shots

    def _resized(self, size):
        scale = self.side / max(size)
        return tuple(max(1, round(scale * length)) for length in size)

    def _known(self, class_):
        if class_ not in self.classes:
            raise DatasetError(f'Youtube-Objects has no class {class_!r}; it has '
                               f'{", ".join(self.classes[1:])}')
        return class_

    def _list_vids(self, package, class_):
        folder = self.dir / package / self._known(class_) / 'data'
        return _folders(folder) if folder.is_dir() else []

    def _video(self, package, class_, vid):
        return self.dir / package / self._known(class_) / 'data' / str(vid) / 'shots'

    def _frame_folder(self, class_, vid, shot):
        return self._video('v1', class_, vid) / str(shot)

    def _mask_folder(self, class_, vid, shot):
        return self._video('youtube_masks', class_, vid) / str(shot) / 'labels'

    def _frame_path(self, class_, vid, shot, idx):
        return self._frame_folder(class_, vid, shot) / f'frame{number(idx):04d}.jpg'


def number(idx):
    """The number of a frame or mask: 12 of 12, 'frame0012', 'frame0012.jpg' and '00012'."""
    found = re.fullmatch(r'(?:frame)?(\d+)(?:\.jpg)?', str(idx))
    if not found:
        raise DatasetError(f'{idx!r}: neither the number of a frame nor a name as frame0001')
    return int(found[1])


def _folders(folder):
    if not folder.is_dir():
        raise DatasetError(f'{folder}: no such folder; is the dataset unpacked completely?')
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def _numbered(folder, prefix):
    """Stems of the files {prefix}{digits}.jpg of `folder`, by number."""
    if not folder.is_dir():
        raise DatasetError(f'{folder}: no such folder; is the dataset unpacked completely?')
    names = [path.stem for path in folder.glob(f'{prefix}*.jpg')
             if path.stem.removeprefix(prefix).isdecimal()]
    if not names:
        raise DatasetError(f'{folder}: holds no {prefix}*.jpg; unpack the shot again')
    return sorted(names, key=number)
