"""Frame differences of many shots: collected in a folder, summed up per layer."""
import hashlib
import json
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from lib.frame_differences import BLOBS, Differences, frame_differences
from lib.report import table
from lib.shot_store import load_shot, save_shot, shot_path

__all__ = ['BLOBS', 'Differences', 'LayerSummary', 'collect', 'frame_differences', 'summary',
           'summary_rows', 'summary_table']


def collect(net, clips, store, key, blobs=BLOBS, relabel=None, silent=False):
    """frame_differences of every clip, each kept in the folder `store` as soon as it is finished.

    What the folder holds already is not run again, so that an interruption loses at most the shot
    under way. Shots that were made with another key, other blobs or classes, of another length or
    with another first frame are run again, as are damaged files; a line says how many.

    clips   as for lib.evaluate.evaluate, each with a `name` of its own, which names its file
    key     str that tells what the shots depend on besides: the digest of the weights, the frames
            that were left out between two, ...
    silent  no progress bar

    Returns a list of Differences. Raises ValueError for clips without names of their own, an empty
    key, and what frame_differences raises.
    """
    names = [getattr(clip, 'name', None) for clip in clips]
    if None in names or len(set(names)) < len(names):
        raise ValueError(f'each clip needs a name of its own, to keep its shot under: got {names}')
    if not key or not isinstance(key, str):
        raise ValueError(f'the key is {key!r}: give a str that tells the net and its input from '
                         'others, such as the digest of its weights')
    paths = [shot_path(store, name) for name in names]
    digests = [_digest(key, blobs, relabel, clip) for clip in clips]
    loaded = [load_shot(path, digest) for path, digest in zip(paths, digests, strict=True)]
    for why in sorted({why for _, why in loaded if why}):
        count = sum(why == other for _, other in loaded)
        tqdm.write(f'{store}: {count} of {len(clips)} shots are {why}, and are run again')
    found = [_unpack(name, arrays) if arrays else None
             for name, (arrays, _) in zip(names, loaded, strict=True)]
    with tqdm(total=len(found), initial=len(found) - found.count(None), desc='differences',
              unit='shot', disable=silent) as bar:
        for i, clip in enumerate(clips):
            if found[i] is None:
                found[i] = frame_differences(net, clip, blobs, relabel)
                save_shot(paths[i], digests[i], _pack(found[i]))
                bar.update()
    return found


class LayerSummary(NamedTuple):
    """Mean and standard deviation over the frame pairs of all shots, nan where none was measured.

    Shares 0..1 of pixels whose class changed, and relative changes 0..2 of values. `pairs` counts
    the frame pairs; of the labels, those where both frames have one.
    """
    layer: str
    argmax_mean: float
    argmax_std: float
    relative_mean: float
    relative_std: float
    pairs: int


def summary(collected):
    """A LayerSummary for each layer of a list of Differences. Raises ValueError if it is empty."""
    if not collected:
        raise ValueError('no differences to sum up: collect at least one shot')
    return [_layer_summary(layer, collected)
            for layer in dict.fromkeys([*collected[0].relative, *collected[0].argmax])]


def summary_table(rows, form='text'):
    """What `summary` returns as a table, in the forms of lib.report: text, markdown, html."""
    columns = ('layer', 'argmax changed %', 'std %', 'relative change', 'std', 'frame pairs')
    return table(columns, [[row.layer, _number(100 * row.argmax_mean, 2),
                            _number(100 * row.argmax_std, 2), _number(row.relative_mean, 3),
                            _number(row.relative_std, 3), str(row.pairs)] for row in rows], form)


def summary_rows(rows):
    """What `summary` returns as flat dicts, for JSON: without what was not measured."""
    return [{'layer': row.layer, 'frame pairs': row.pairs}
            | {name: value for name, value in (('argmax changed %', 100 * row.argmax_mean),
                                               ('relative change', row.relative_mean))
               if not np.isnan(value)} for row in rows]


def _layer_summary(layer, collected):
    argmax, relative = (np.concatenate([getattr(shot, kind).get(layer, []) for shot in collected])
                        for kind in ('argmax', 'relative'))
    argmax = argmax[~np.isnan(argmax)]
    return LayerSummary(layer, *_mean_and_std(argmax), *_mean_and_std(relative),
                        max(argmax.size, relative.size))


def _mean_and_std(values):
    return (float(values.mean()), float(values.std())) if values.size else (np.nan, np.nan)


def _number(value, digits):
    return '-' if np.isnan(value) else f'{value:.{digits}f}'


def _digest(key, blobs, relabel, clip):
    made_of = [key, *blobs], None if relabel is None else np.asarray(relabel).tolist(), len(clip)
    digest = hashlib.sha256(json.dumps(made_of).encode())
    for in_, _ in clip[:1]:
        digest.update(np.ascontiguousarray(in_))
    return digest.hexdigest()


def _pack(shot):
    """A shot as {'kind layer': array}, in order."""
    return {f'{kind} {layer}': changes for kind in ('argmax', 'relative')
            for layer, changes in getattr(shot, kind).items()}


def _unpack(name, arrays):
    shot = Differences(name, {}, {})
    for entry, changes in arrays.items():
        kind, layer = entry.split(' ', 1)
        getattr(shot, kind)[layer] = changes
    return shot
