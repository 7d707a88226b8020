"""What Net is called with: its constructor's two orders of arguments, and arrays for its blobs."""
import numpy as np

from .errors import CaffeError, ShapeMismatch


def constructor_arguments(args, phase, level, stages, weights):
    """(phase, level, stages, weights) of either order of arguments: weights second or phase."""
    if args and not isinstance(args[0], int):
        names = 'weights', 'phase', 'level', 'stages'
    else:
        names = 'phase', 'level', 'stages', 'weights'
    if len(args) > len(names):
        raise CaffeError('Net takes a path, weights and a phase, or a path, a phase, a level, '
                         'stages and weights; %d arguments were given' % (1 + len(args)))
    given = dict(phase=phase, level=level, stages=stages, weights=weights) | dict(zip(names, args))
    return given['phase'], given['level'], given['stages'], given['weights']


def fill(target, values, what, fix=''):
    """Write `values` to `target`: as many rows as it has, spread over its other axes as numpy does.

    CaffeError where they do not fit.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ShapeMismatch('%s has no shape: its rows differ in length' % what) from None
    if array.shape[:1] != target.shape[:1] or not _spreads(array.shape, target.shape):
        raise ShapeMismatch('%s has shape %s, its blob %s%s'
                            % (what, array.shape, target.shape, fix))
    try:
        target[...] = array
    except (TypeError, ValueError) as e:
        raise CaffeError('%s must be numbers: %s' % (what, e)) from None


def _spreads(shape, wanted):
    """Whether numpy's rules spread an array of this shape over the one wanted."""
    return len(shape) <= len(wanted) and all(
        d in (1, w) for d, w in zip(reversed(shape), reversed(wanted)))
