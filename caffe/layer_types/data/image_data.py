"""ImageData: image files that a text file lists with their labels."""

import re

import numpy as np

from caffe.blobs.blob import refusal
from caffe.errors import DataError
from caffe.layer_types.base import register
from caffe.layer_types.data import images
from caffe.layer_types.data.base import ImageSource
from caffe.layer_types.data.files import read_list


@register("ImageData")
class ImageData(ImageSource):
    """y = the images of a list, cyclically, in order or shuffled, and their labels.

    image_data_param
        source: a text file with a path, a space and an integer label on each line (the path may
        contain spaces); root_folder: put before each path unchanged, without a slash between;
        batch_size; shuffle: a new random order in each epoch; rand_skip: begin at a random one of
        the first rand_skip images; new_height, new_width: the size to resize to (bilinear);
        is_color: decode to 3 channels (BGR), or to 1 if false.
    transform_param
        See `transform`.

    Source: BVLC Caffe, image_data_layer.
    """

    param_name = "image_data_param"
    tops = (2, 2)

    def open(self) -> int:
        """Read the list and return its number of images."""
        p = self.param
        if bool(p.new_height) != bool(p.new_width):
            raise DataError("image_data_param gives one of new_height and new_width: give both")
        if problem := refusal((3, p.new_height, p.new_width)):
            raise DataError(f"image_data_param: an image of new_height and new_width {problem}")
        if not p.source:
            raise DataError("image_data_param gives no source: name a list of images")
        self.lines = read_list(p.source, 'list of images, "path label" lines')
        for line in self.lines:
            self._parse(*line)  # an error in a line is one at once
        self._start_epoch()
        return len(self.lines)

    def _parse(self, number, line):
        """Return number, path and label of a line."""
        match = re.fullmatch(r"(.*\S)\s+([-+]?\d{1,10})", line)
        if not match:
            raise DataError(
                f"{self.param.source}:{number}: {line!r:.200} is not a path, a space and a whole "
                "number: give each image a label"
            )
        return number, self.param.root_folder + match[1], int(match[2])

    def _start_epoch(self):
        """Go to the first image of a new order."""
        n = len(self.lines)
        self.order = self.random.permutation(n) if self.param.shuffle else range(n)
        self.position = 0

    def current(self) -> tuple[np.ndarray, int, str]:
        """Return the current image, its label, and its line in the list."""
        p, line = self.param, self.lines[self.order[self.position]]
        number, path, label = self._parse(*line)
        place = f"{p.source}:{number}"
        image = images.read(path, p.is_color, place, p.new_height, p.new_width)
        return image, label, place

    def advance(self) -> None:
        """Go to the next image; after the last begin a new epoch."""
        self.position += 1
        if self.position == len(self.lines):
            self._start_epoch()
