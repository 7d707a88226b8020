"""The exceptions of this package: every failure a user can cause has a name, a place and a fix.

All derive from :class:`CaffeError`, itself a ``RuntimeError``, which is what pycaffe raises where
it does not abort. No file, prototxt or call ends the process.
"""

# what torch and Python raise where a layer's settings, weights and bottoms are not for each other
FOREIGN = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)


class CaffeError(RuntimeError):
    """Anything that caffe refuses; the message names the file or layer and says what to do."""


class LayerError(CaffeError):
    """A layer's parameters, bottoms or shapes do not fit; the message begins with its name."""


class UnknownLayerType(LayerError):
    """``type`` names no layer of this package."""


class MissingBottom(LayerError):
    """A layer reads a blob that no layer before it makes."""


class DuplicateTop(LayerError):
    """Two layers write one blob, and the second is not in place."""


class ShapeMismatch(LayerError):
    """Shapes of bottoms, or of a layer and its weights, do not agree."""


class StaleInput(LayerError):
    """A stage was asked for whose inputs were never computed, or at another input size."""


class LabelRange(LayerError):
    """A label lies outside the classes that the scores have."""


class WeightsError(CaffeError):
    """A weights or solver state file is missing, damaged or of another kind."""


class DeviceError(CaffeError):
    """The device asked for is not there."""


class SolverError(CaffeError):
    """A solver's parameters do not make sense."""


class ImageError(CaffeError, ValueError):
    """An image cannot be read, or does not fit what is to be done with it."""


class MissingTool(CaffeError):
    """A program or package beside PyTorch is needed for this and not installed."""


class DataError(CaffeError):
    """A data source, or a record, image or mean of one, is missing, damaged or of another kind."""
