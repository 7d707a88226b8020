"""Segment a video: python -m lib.segment street.mp4 -o out.mp4.

The source is a movie, a folder of images, the number of a camera, or the URL of a stream. The
outputs are out.mp4 (the video with its labels over it, and its audio), out-labels/ (a label map a
frame, PNG with the colours of the classes), out.csv (a row a frame: time, stages that ran, what the
clock measured, latency) and out.json (how far the run has come). A run that was interrupted goes on
with --resume. --live takes the newest frame, and leaves out those that the net has no time for.
"""

import argparse
import hashlib
import math
import os
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from tqdm import tqdm

import caffe
from lib.net_card import DEFAULT, find_card
from lib.video.budget import LENGTH, RUNS, clock_within, sample
from lib.video.clip import open_clip
from lib.video.errors import VideoError
from lib.video.live import segment_live
from lib.video.named_clock import ClockError, clock_from, named_clock, read_clock, schedules
from lib.video.outputs import Outputs
from lib.video.pictures import list_pictures
from lib.video.run import Look, segment_video
from lib.video.source import as_source, expected_frames, read_frames

THRESHOLD = 0.1  # of the adaptive clock, if neither it nor a budget is given
SETTINGS = ("size", "mean", "schedule", "threshold", "period", "rate", "no_audio", "gpu")
MOST_HASHED = 2**20  # bytes of a source that tell it from another, with its length


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(
        prog="python -m lib.segment",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("source", help="movie file, folder of images, number of a camera, or URL")
    add("-o", "--output", metavar="OUT.mp4", help="default: NAME-segmented.mp4 here")
    add("--net", help=f"card (.json) or net (.prototxt); default: {DEFAULT}")
    add("--weights", help="in place of those that the card names")
    add("--size", type=_size, metavar="HxW", help="what frames are scaled to fit into")
    add("--mean", type=float, nargs=3, metavar=("B", "G", "R"), help="mean of each channel")
    add("--schedule", choices=sorted(schedules()), help="default: adaptive, or per_frame")
    add("--threshold", type=float, help=f"of the adaptive clock; default: {THRESHOLD}")
    add("--period", type=int, help="of the schedule every, in frames")
    add("--budget", help="share of all multiply-adds, or a JSON file of a tuned clock")
    add("--rate", type=float, metavar="FPS", help="frames a second to take; default: all")
    add("--no-audio", action="store_true", help="leave the audio out")
    add("--gpu", action="store_true", help="run the net on the GPU")
    add("--live", action="store_true", help="newest frame; cameras and streams always are")
    add("--seconds", type=float, help="end a live run after this time")
    add("--quiet", action="store_true", help="no progress bar")
    again = found.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    again.add_argument("--overwrite", action="store_true", help="replace outputs that are there")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, 1 for an error, 130 for Ctrl-C."""
    args = parser().parse_args(argv)
    try:
        segment(args)
    except (VideoError, ValueError, RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted: go on with --resume", file=sys.stderr)
        return 130
    return 0


def segment(args: argparse.Namespace) -> None:
    """Do what the command line says; raise VideoError, or what the net raises, if that fails."""
    source = as_source(args.source)
    live = args.live or not source.is_file
    _check(args, live)
    card = find_card(args.net, args.weights)
    outputs = None
    if args.output or not live:
        name = args.output or f"{Path(source.text).stem}-segmented.mp4"
        if os.path.exists(name) and source.is_file and os.path.samefile(name, source.text):
            raise VideoError(f"{name} is the source: give another name with -o")
        outputs = Outputs(name, _made_by(args, source, card))
        resumed = args.resume and outputs.resume()
        if resumed and outputs.state["done"]:
            print(f"{outputs.video} is complete: {outputs.state['frames']} frames")
            return
        if not resumed:
            (outputs.overwrite if args.overwrite else outputs.start)()
        else:
            print(f"going on after {outputs.state['frames']} frames of {outputs.video}")
    if args.gpu:
        caffe.set_mode_gpu()
    net = caffe.Net(card.net, card.weights, caffe.TEST)
    stages = card.stages_of(net)
    shape = net.blobs[next(iter(net.blobs))].data.shape
    size = args.size or card.size or (shape[2], shape[3])
    look = Look(size, args.mean or card.mean, card.palette)
    clock = _clock(args, net, stages, source, look, outputs)
    print(f"{source.text}: {clock.name}")
    if live:
        _run_live(args, source, outputs, net, clock, look)
    else:
        _run_file(args, source, outputs, net, clock, look)
    if outputs is not None:
        print(f"{outputs.video}, {outputs.labels}{os.sep}, {outputs.csv}")


def _run_file(args, source, outputs, net, clock, look):
    total, before = expected_frames(source, args.rate), outputs.state["frames"]
    with tqdm(total=total, initial=before, unit="frame", disable=args.quiet) as bar:
        summary = segment_video(
            source,
            outputs,
            net,
            clock.run,
            look,
            clock.stages,
            args.rate,
            not args.no_audio,
            lambda done: bar.update(),
        )
    print(_speed(summary))


def _run_live(args, source, outputs, net, clock, look):
    with tqdm(unit="frame", disable=args.quiet) as bar:

        def shown(done, summary):
            bar.update()
            bar.set_postfix_str(f"age {1e3 * done.age:.0f} ms, {summary.dropped} dropped")

        summary = segment_live(
            source,
            outputs,
            net,
            clock.run,
            look,
            clock.stages,
            args.rate,
            args.seconds,
            progress=shown,
            say=bar.write,
        )
    print(_speed(summary))
    print(
        f"{summary.arrived} frames arrived, {summary.dropped} dropped; age at the output: median "
        f"{summary.age(0.5):.0f} ms, 95 % up to {summary.age(0.95):.0f} ms, oldest "
        f"{summary.age(1):.0f} ms; {summary.late} older than the net's time and one interval "
        f"({1e3 * summary.interval:.0f} ms)"
    )


def _speed(summary):
    if not summary.frames:
        return "no frames were left to do"
    whole, alone = summary.frames / summary.seconds, summary.frames / summary.net_seconds
    ran = ", ".join(f"{name} {n / summary.frames:.0%}" for name, n in summary.ran.items())
    return (
        f"{summary.frames} frames, {whole:.1f} a second end to end, {alone:.1f} in the net alone; "
        f"{summary.share:.0%} of all multiply-adds ({ran})"
    )


def _clock(args, net, stages, source, look, outputs):
    """Return the clock that the options name; one that was tuned stays the same after --resume."""
    name = args.schedule or ("adaptive" if len(stages) > 2 else "per_frame")
    options = {k: v for k in ("threshold", "period") if (v := getattr(args, k)) is not None}
    if args.budget is None:
        if name == "adaptive":
            options.setdefault("threshold", THRESHOLD)
        return named_clock(name, stages, **options)
    if os.path.exists(args.budget):
        return clock_from(read_clock(args.budget), net, stages, args.budget)
    share = _share(args.budget)
    if options or name not in ("adaptive", "every"):
        raise ClockError(
            "a budget chooses the options of the schedules adaptive and every: leave out "
            "--threshold and --period, or --budget"
        )
    if name == "every":
        return named_clock(name, stages, period=math.ceil(1 / share))
    state = {} if outputs is None else outputs.state
    if "clock" not in state:
        state["clock"] = clock_within(net, _sample(args, source, look), share, stages)
    return clock_from(state["clock"], net, stages, "the journal")


def _sample(args, source, look):
    """Return clips that are like the video: pieces of a file, the first frames of a stream."""
    if source.is_file:
        clip = open_clip(source, look.size, look.mean, rate=args.rate, exact=look.exact)
        return sample(clip)
    frames = islice(read_frames(source, args.rate), RUNS * LENGTH)
    return [[(in_, None) for _, in_ in look.prepare(frames)]]


def _share(text):
    """Return a budget as a share, above 0 to 1."""
    try:
        share = float(text)
    except ValueError:
        raise ClockError(
            f"the budget {text!r} is neither a number nor a file: give a share of all "
            "multiply-adds, such as 0.5, or the JSON file of a tuned clock"
        ) from None
    if not 0 < share <= 1:
        raise ClockError(f"the budget is {text}: give a share of all multiply-adds, above 0 to 1")
    return share


def _check(args, live):
    """Raise VideoError for options that do not go together."""
    if live and args.resume:
        raise VideoError("a live run cannot be resumed: leave out --resume")
    if args.seconds is not None and not (live and args.seconds > 0):
        raise VideoError("--seconds ends a live run: give it with --live, above 0")
    if args.mean is not None and not all(0 <= mean <= 255 for mean in args.mean):
        raise VideoError(f"the mean is {args.mean}: give three values in 0..255, BGR")


def _made_by(args, source, card):
    """Return what labels depend on, for the journal."""
    tuned = args.budget is not None and os.path.isfile(args.budget)
    return {
        "source": _digest(source),
        "net": _file_digest(card.net),
        "weights": _file_digest(card.weights),
        "budget": _file_digest(args.budget) if tuned else args.budget,
        **{name: getattr(args, name) for name in SETTINGS},
    }


def _digest(source):
    """Return what tells a source from another: length, and a digest of the beginning."""
    if source.kind == "folder":
        return [path.name for path in list_pictures(source.name)]
    if source.kind == "movie":
        with open(source.text, "rb") as file:
            start = hashlib.sha256(file.read(MOST_HASHED)).hexdigest()
        return [os.path.getsize(source.text), start]
    return source.text


def _file_digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(text):
    """Read a size such as 360x480."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(p.isascii() and p.isdecimal() and int(p) for p in parts):
        raise argparse.ArgumentTypeError(f"{text!r}: give height and width, such as 360x480")
    return int(parts[0]), int(parts[1])


if __name__ == "__main__":
    sys.exit(main())
