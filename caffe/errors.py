"""Exceptions of this package: each failure that a user can cause has its own class.

The message says what is wrong, where, and how to fix it. All classes derive from `CaffeError`,
which is a RuntimeError because that is what pycaffe raises when it does not abort. No file,
prototxt or call ends the process.
"""

# what torch and Python raise if a layer's settings, weights and bottoms do not fit together
FOREIGN = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)


class CaffeError(RuntimeError):
    """Base class; the message names the file or layer and says what to do."""


class LayerError(CaffeError):
    """A layer's parameters, bottoms or shapes are wrong; the message begins with its name."""


class UnknownLayerType(LayerError):
    """The `type` of a layer is not in the registry."""


class MissingBottom(LayerError):
    """A layer reads a blob that no earlier layer produces."""


class DuplicateTop(LayerError):
    """Two layers write the same blob, and the second does not run in place."""


class ShapeMismatch(LayerError):
    """The shapes of bottoms, or of a layer and its weights, do not agree."""


class StaleInput(LayerError):
    """A stage's inputs were never computed, or were computed for another input size."""


class LabelRange(LayerError):
    """A label is outside the classes that the scores have."""


class NotAssignable(CaffeError, AttributeError, TypeError):
    """Something was put in place of a blob or its arrays, which are written to instead."""


class NetInUse(CaffeError):
    """A net was called while it runs in another thread."""


class WeightsError(CaffeError):
    """A weights or solver state file is missing, damaged or of another kind."""


class DeviceError(CaffeError):
    """The requested device does not exist."""


class SolverError(CaffeError):
    """A solver's parameters are missing or inconsistent."""


class Diverged(SolverError, ValueError):
    """A loss, gradient or weight of a training is no longer a finite number."""


class ImageError(CaffeError, ValueError):
    """An image cannot be read, or its shape does not fit the operation."""


class NoCopy(CaffeError, TypeError):
    """A net was to be copied or pickled."""


class MissingTool(CaffeError):
    """An optional program or package is required and not installed."""


class DataError(CaffeError):
    """A data source, or a record, image or mean in one, is missing, damaged or of another kind."""
