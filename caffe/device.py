"""Where and how the engine computes: one choice for the whole process, all threads alike.

pycaffe keeps the mode in each thread, so that a notebook's worker thread silently falls back to the
CPU; here a mode, once set, holds everywhere.
"""
import torch

from .errors import DeviceError

_choice = {'mode': 'cpu', 'index': 0, 'precision': torch.float32}
_generators = {}


def _check_cuda(index):
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if index >= found:
        raise DeviceError('GPU %d was asked for, but this PyTorch (%s) sees %d CUDA device(s): '
                          'call caffe.set_mode_cpu(), or install a CUDA build of PyTorch'
                          % (index, torch.__version__, found))


def set_mode_cpu():
    """Compute on the CPU (the default)."""
    _choice['mode'] = 'cpu'


def set_mode_gpu():
    """Compute on the GPU chosen by `set_device`; DeviceError where there is none."""
    _check_cuda(_choice['index'])
    _choice['mode'] = 'gpu'


def set_device(index):
    """Choose GPU `index` for `set_mode_gpu`; DeviceError where it does not exist."""
    _check_cuda(int(index))
    _choice['index'] = int(index)


def set_precision(name):
    """'float32' (the default, what Caffe computes) or 'bfloat16' (faster where the CPU has AMX).

    Ours, not pycaffe's. Weights, losses and all that the host sees stay float32; only what flows
    between the layers is rounded, so results agree to about two decimals. Meant for training.
    """
    try:
        _choice['precision'] = {'float32': torch.float32, 'bfloat16': torch.bfloat16}[name]
    except KeyError:
        raise DeviceError("precision %r is not known: use 'float32' or 'bfloat16'" % (name,)) from None


def device():
    """The torch.device that layers run on now."""
    return torch.device('cpu') if _choice['mode'] == 'cpu' else torch.device('cuda', _choice['index'])


def precision():
    """The torch.dtype that layers exchange now."""
    return _choice['precision']


def set_random_seed(seed):
    """Make fillers, Dropout and DummyData repeatable from here on."""
    _choice['seed'] = int(seed)
    _generators.clear()


def generator(where=None):
    """The torch.Generator of device `where` (the CPU's unless given), seeded by `set_random_seed`."""
    where = torch.device('cpu') if where is None else where
    if where not in _generators:
        made = torch.Generator(device=where)
        if 'seed' in _choice:
            made.manual_seed(_choice['seed'])
        else:
            made.seed()
        _generators[where] = made
    return _generators[where]
