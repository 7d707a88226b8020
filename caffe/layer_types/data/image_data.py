"""ImageData: image files that a text file lists with their labels."""

import re

from caffe.blobs.blob import refusal
from caffe.errors import DataError
from caffe.layer_types.base import register
from caffe.layer_types.data import images
from caffe.layer_types.data.base import ImageSource
from caffe.layer_types.data.files import read_list


@register("ImageData")
class ImageData(ImageSource):
    """Images in the order of a list, or shuffled, round and round.

    image_data_param: source, a text file with a path, a space and a whole number as label on each
    line (the path may hold spaces); root_folder, put before each path as it stands; batch_size;
    shuffle, a random order anew each round; rand_skip, begin at a random one of the first rand_skip
    images; new_height and new_width, the size to resize to (bilinear); is_color, 3 channels (BGR),
    or 1 where it is false.
    transform_param: see sources/transform.py.
    Source: BVLC Caffe, image_data_layer.
    """

    parameters = "image_data_param"
    tops = (2, 2)

    def open(self):
        p = self.given
        if bool(p.new_height) != bool(p.new_width):
            raise DataError("image_data_param gives one of new_height and new_width: give both")
        if problem := refusal((3, p.new_height, p.new_width)):
            raise DataError("image_data_param: an image of new_height and new_width " + problem)
        if not p.source:
            raise DataError("image_data_param gives no source: name a list of images")
        self.lines = [
            self._parse(*line) for line in read_list(p.source, 'list of images, "path label" lines')
        ]
        self._begin_round()
        return len(self.lines)

    def _parse(self, number, line):
        found = re.fullmatch(r"(.*\S)\s+([-+]?\d{1,10})", line)
        if not found:
            raise DataError(
                "%s:%d: %.200r is no path, a space and a whole number: give each image "
                "a label" % (self.given.source, number, line)
            )
        return number, self.given.root_folder + found[1], int(found[2])

    def _begin_round(self):
        n = len(self.lines)
        self.order = self.random.permutation(n) if self.given.shuffle else range(n)
        self.turn = 0

    def current(self):
        p, (number, path, label) = self.given, self.lines[self.order[self.turn]]
        place = "%s:%d" % (p.source, number)
        image = images.read(path, p.is_color, place, p.new_height, p.new_width)
        return image, label, place

    def advance(self):
        self.turn += 1
        if self.turn == len(self.lines):
            self._begin_round()
