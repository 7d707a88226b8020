"""Any PyTorch model under a clock: cut by module names, run stage by stage. See `Clocked`."""

from lib.clocked.model import Clocked
from lib.clocked.stream import Stream
from lib.clocked.trace import TraceError

__all__ = ["Clocked", "Stream", "TraceError"]
