"""What solvers say on their way, through Python's logging as the logger 'caffe'."""
import logging
import sys

LEVELS = logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL    # glog's 0 to 3
logger = logging.getLogger('caffe')
_to_stderr = logging.StreamHandler(sys.stderr)
_to_stderr.setFormatter(logging.Formatter('%(levelname).1s%(asctime)s %(message)s'))


def init_log(level=0, stderr=True):
    """Show messages from glog's `level` on (0 all, 1 warnings, 2 errors, 3 none but the worst).

    stderr: on the screen; False leaves it to the handlers that Python's logging was given.
    """
    logger.setLevel(LEVELS[min(max(int(level), 0), 3)])
    logger.removeHandler(_to_stderr)
    if stderr:
        logger.addHandler(_to_stderr)


def log(message):
    """Say `message` at level 0."""
    logger.info('%s', message)
