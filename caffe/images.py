"""Images as caffe.io has them: H x W x channels, float32 in [0, 1], RGB or one grey channel."""
import numpy as np

from .errors import ImageError


def load_image(filename, color=True):
    """The image file as H x W x 3 RGB, or H x W x 1 where `color` is False; float32 in [0, 1].

    Grey files are repeated to three channels; an alpha channel is dropped. ImageError where the
    file is missing or no image.
    """
    from skimage import img_as_float  # slow to import, and few nets are fed from files
    from skimage.io import imread
    try:
        image = img_as_float(imread(filename, as_gray=not color)).astype(np.float32)
    except (OSError, ValueError, SyntaxError) as e:
        raise ImageError('%s cannot be read as an image: %s' % (filename, e)) from e
    if image.ndim not in (2, 3) or image.ndim == 3 and image.shape[2] not in (1, 2, 3, 4):
        raise ImageError('%s holds an array of shape %s, not one image: save the frame wanted as '
                         'a PNG' % (filename, image.shape))
    if image.ndim == 2:
        image = image[:, :, None]
    if color and image.shape[2] < 3:    # grey, or grey with alpha
        image = np.repeat(image[:, :, :1], 3, axis=2)
    return image[:, :, :3]


def resize_image(im, new_dims, interp_order=1):
    """`im` (H x W x channels) at size new_dims = (height, width), float32.

    Images of one or three channels go through skimage's resize, which smooths before it shrinks;
    others through a spline of order `interp_order`. Source: caffe.io's function of that name.
    """
    im = np.asarray(im)
    height, width = (int(d) for d in new_dims)
    if im.ndim != 3 or min(height, width, *im.shape) < 1:
        raise ImageError('resize_image takes H x W x channels and a size of 1 x 1 or more; it was '
                         'given shape %s and size %s' % (im.shape, (height, width)))
    if im.shape[2] not in (1, 3):
        from scipy.ndimage import zoom
        factors = height / im.shape[0], width / im.shape[1], 1
        return zoom(im, factors, order=interp_order).astype(np.float32)
    low, high = im.min(), im.max()
    if not high > low:    # one value everywhere: nothing to bring into skimage's range
        return np.full((height, width, im.shape[2]), low, np.float32)
    from skimage.transform import resize
    unit = resize((im - low) / (high - low), (height, width), order=interp_order, mode='constant')
    return (unit * (high - low) + low).astype(np.float32)


def oversample(images, crop_dims):
    """Ten crops of each image: four corners and the centre, then the same five mirrored.

    images: H x W x channels each, all of one size; crop_dims: (height, width). Returns
    10 n x height x width x channels float32, the ten of an image together.
    """
    height, width = (int(d) for d in crop_dims)
    crops = []
    for image in images:
        down, right = image.shape[0] - height, image.shape[1] - width
        if down < 0 or right < 0:
            raise ImageError('oversample: a crop of %d x %d does not fit an image of %d x %d: '
                             'resize the image first' % (height, width, *image.shape[:2]))
        corners = [(y, x) for y in (0, down) for x in (0, right)]
        # a centre between two pixels goes to the upper left one
        five = [image[y:y + height, x:x + width] for y, x in [*corners, (down // 2, right // 2)]]
        crops += five + [crop[:, ::-1] for crop in five]
    return np.array(crops, np.float32)
