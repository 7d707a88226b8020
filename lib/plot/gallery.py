"""Draw the pictures of lib/README.md from a synthetic street: ``python -m lib.plot.gallery``.

Each function that PICTURES lists calls one plot helper of `lib.plot_util`, as a notebook would.
"""

import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from lib import plot_util
from lib.class_stats import count_classes
from lib.clocks.budget import Tuning
from lib.clocks.tuned_clock import TunedClock
from lib.differences import Differences
from lib.evaluate import Result
from lib.labels import IGNORE
from lib.layer_maps import change_rate
from lib.schedule import Step
from lib.score_util import Scores

FOLDER = Path(__file__).with_name("pictures")
DPI = 72
COLOURS = 96  # of a file: fewer bytes than full colour

NAMES = ("sky", "building", "tree", "road", "car", "person")
SKY, BUILDING, TREE, ROAD, CAR, PERSON = range(6)
PALETTE = np.array(
    [(120, 170, 220), (140, 110, 90), (70, 140, 60), (110, 100, 120), (0, 60, 160), (220, 50, 50)],
    np.uint8,
)
HIGH, WIDE = 72, 128
FRAMES = 12
ALL = ("shallow", "middle", "deep", "fuse")
NO_DEEP = ("shallow", "middle", "fuse")
GMACS = 181  # of a full FCN-8s at 500 x 500
DEEP_SHARE = 0.245  # of them in the deep stage


def scene(t: float, t_objects: float | None = None, speed: float = 4) -> np.ndarray:
    """Draw the true label map of frame t, H x W uint8, with objects as at `t_objects` if given."""
    y, x = np.mgrid[:HIGH, :WIDE]
    pan = x + t
    label = np.full((HIGH, WIDE), SKY, np.uint8)
    label[y > 26 - 9 * ((pan // 18).astype(int) % 3)] = BUILDING
    label[(pan % 50 - 38) ** 2 + 1.5 * (y - 34) ** 2 < 130] = TREE
    label[y > 46] = ROAD
    t = t if t_objects is None else t_objects
    car, person = 8 + speed * t, 104 - speed * t / 2
    label[(abs(x - car - 12) < 12) & (abs(y - 50) < 5)] = CAR
    label[(abs(x - car - 12) < 7) & (abs(y - 43) < 4)] = CAR
    label[(abs(x - person) < 3) & (abs(y - 46) < 9)] = PERSON
    label[y > HIGH - 5] = IGNORE  # the bonnet of the camera's car
    return label


def photo(t: float) -> np.ndarray:
    """Draw the image of frame t, H x W x 3 uint8: the scene in natural, shaded colours."""
    base = np.array(
        [
            (185, 210, 235),
            (170, 155, 140),
            (95, 130, 80),
            (125, 125, 125),
            (60, 80, 130),
            (150, 90, 70),
        ]
    )
    label = scene(t)
    shade = np.linspace(1.1, 0.8, HIGH)[:, None, None]
    image = base[np.where(label == IGNORE, 0, label)] * shade
    image[label == IGNORE] = 40
    return image.clip(0, 255).astype(np.uint8)


def output(t: float, t_objects: float | None = None, speed: float = 4) -> np.ndarray:
    """Draw the label map that a net puts out: the scene with bent boundaries, never ignored."""
    label = scene(t, t_objects, speed)
    label[label == IGNORE] = ROAD
    y, x = np.mgrid[:HIGH, :WIDE]
    rows = (y + np.rint(1.4 * np.sin(x / 4))).astype(int).clip(0, HIGH - 1)
    columns = (x + np.rint(1.6 * np.sin(y / 3 + x / 9))).astype(int).clip(0, WIDE - 1)
    return label[rows, columns]


def near_boundary(label: np.ndarray) -> np.ndarray:
    """Return the mask of the pixels within 3 of another class, H x W bool."""
    near, padded = np.zeros(label.shape, bool), np.pad(label, 3, mode="edge")
    for shift in range(7):
        near |= padded[shift : shift + HIGH, 3:-3] != label
        near |= padded[3:-3, shift : shift + WIDE] != label
    return near


def stale(period: int, speed: float = 4) -> Result:
    """Return the Result of a clock that runs everything on every `period`-th frame."""
    outputs = [output(t - t % period, speed=speed) for t in range(FRAMES)]
    return _result("every_other", outputs, GMACS / period, 1 / period, speed)


def deep_clock(period: int, speed: float = 4) -> Result:
    """Return the Result of a clock that runs the deep stage on every `period`-th frame.

    Objects lag behind by half the age of the deep scores, as they are fused with fresh ones.
    """
    outputs = [output(t, t - t % period / 2, speed) for t in range(FRAMES)]
    macs = GMACS * (1 - DEEP_SHARE + DEEP_SHARE / period)
    return _result("alternating", outputs, macs, 1 / period, speed)


def oracle(speed: float = 4) -> Result:
    """Return the Result of all stages on every frame."""
    outputs = [output(t, speed=speed) for t in range(FRAMES)]
    return _result("per_frame", outputs, GMACS, 1, speed)


def _result(name, outputs, gmacs, fired, speed):
    scores, edges = Scores(len(NAMES), NAMES), Scores(len(NAMES), NAMES)
    for t, out in enumerate(outputs):
        scores.add(out, scene(t, speed=speed))
        edges.add(out, scene(t, speed=speed), near_boundary)
    ms = 0.2 * gmacs
    return Result(
        name, scores, {"deep": fired}, gmacs * 1e9, ms, ms, FRAMES, FRAMES, region_scores=edges
    )


def shot(distance: int = 1) -> Differences:
    """Return the changes of a shot of 60 frames, compared at a distance in frames."""
    rng, pairs = np.random.default_rng(0), 60 - distance
    camera = 1 + np.exp(-(((np.arange(pairs) - 35) / 6) ** 2))  # it pans around frame 35

    def course(level):
        grown = level * (1 - np.exp(-distance / 6)) / (1 - np.exp(-1 / 6))
        return grown * camera * rng.gamma(12, 1 / 12, pairs)

    levels = {"score_pool3": 0.06, "score_pool4": 0.03, "score_fr": 0.012, "score": 0.01}
    argmax = {layer: course(level) for layer, level in levels.items()}
    relative = {"data": course(0.3)} | {k: course(5 * level) for k, level in levels.items()}
    return Differences("street", argmax | {"label": course(0.009)}, relative)


def draw_accuracy_against_cost() -> Axes:
    """Draw three schedules, two of them with three periods each."""
    return plot_util.accuracy_against_cost(
        {
            "all stages on every frame": [oracle()],
            "output repeated": [stale(n) for n in (2, 3, 4)],
            "deep stage on a clock": [deep_clock(n) for n in (2, 3, 4)],
        }
    )


def draw_animate() -> FuncAnimation:
    """Animate images, truth and output of six frames."""
    times = range(0, FRAMES, 2)
    return plot_util.animate(
        [photo(t) for t in times],
        [scene(t) for t in times],
        [output(t) for t in times],
        palette=PALETTE,
        titles=("image", "truth", "output"),
    )


def draw_class_bars() -> Figure:
    """Draw how often each class occurs, and its IU."""
    counts = count_classes([scene(t) for t in range(FRAMES)], len(NAMES))
    return plot_util.class_bars(
        {
            "pixels (%)": 100 * counts.pixels / counts.pixels.sum(),
            "IU (%)": 100 * oracle().scores.class_iu(),
        },
        NAMES,
        PALETTE,
        log=True,
        width=7,
    )


def draw_class_cmap() -> Figure:
    """Draw the first 24 colours."""
    colours = np.rint(255 * np.asarray(plot_util.class_cmap(24).colors)).astype(np.uint8)
    return plot_util.swatches([f"class {i}" for i in range(24)], colours, columns=6, width=8)


def draw_confusion_map() -> Figure:
    """Draw the confusion matrix of a stale output."""
    return plot_util.confusion_map(stale(4).scores.hist, NAMES, width=5.5)


def draw_curves() -> Axes:
    """Draw mean IU by frame number."""
    lines = {}
    for name, age in (("every frame", 0), ("one frame late", 1), ("two frames late", 2)):
        points = []
        for t in range(FRAMES):
            scores = Scores(len(NAMES))
            scores.add(output(max(0, t - age)), scene(t))
            points.append((t, 100 * scores.summary().mean_iu))
        lines[name] = points
    ax = plot_util.curves(lines, "frame number", "mean IU (%)")
    ax.set_ylim(45, 90)  # room for the legend
    return ax


def draw_filmstrip() -> Figure:
    """Draw six frames under three schedules."""
    runs: dict[str, list[Step]] = {"every_other": [], "alternating": [], "pipeline": []}
    for t in range(6):
        even = t - t % 2
        late = max(0, t - 1)
        runs["every_other"].append(Step(output(even), () if t % 2 else ALL))
        runs["alternating"].append(Step(output(t, (t + even) / 2), NO_DEEP if t % 2 else ALL))
        then = ("deep",) if t else ()
        runs["pipeline"].append(Step(output(t, (t + late) / 2), NO_DEEP if t else ALL, then))
    return plot_util.filmstrip([photo(t) for t in range(6)], runs, PALETTE)


def draw_grey_levels() -> Axes:
    """Draw the levels of masks stored without and with loss."""
    clean, lossy = np.zeros(256), np.zeros(256)
    clean[[0, 255]] = 9e5, 1e5
    levels = np.arange(256)
    lossy += 9e5 * np.exp(-levels / 1.5) + 1e5 * np.exp((levels - 255) / 2.5) + 4
    return plot_util.grey_levels({"PNG": clean, "JPEG": lossy}, 127)


def draw_grid() -> Figure:
    """Draw two frames, and how often each pixel changes class."""
    rate = change_rate([output(t) for t in range(FRAMES)])
    return plot_util.grid(
        [photo(0), photo(8), rate],
        ["frame 0", "frame 8", "class changes (white 50 %)"],
        width=8,
        white=0.5,
    )


def draw_growth() -> Axes:
    """Draw the changes at four distances."""
    return plot_util.growth({n: [shot(n)] for n in (1, 2, 4, 8)})


def draw_layer_means() -> Axes:
    """Draw the mean changes of a shot."""
    return plot_util.layer_means([shot()])


def draw_outlines() -> Figure:
    """Draw the outline of the car on three frames."""
    times = (0, 4, 8)
    return plot_util.outlines(
        [photo(t) for t in times],
        [scene(t) == CAR for t in times],
        [f"frame {t}" for t in times],
        width=8,
    )


def draw_paint() -> Figure:
    """Draw a label map painted in a palette."""
    return plot_util.grid([plot_util.paint(scene(4), PALETTE)], width=3.5)


def draw_paint_errors() -> Figure:
    """Draw the errors near boundaries, with their share in the title."""
    label, pictures, titles = scene(6), [], []
    for name, out in (("every frame", output(6)), ("two frames late", output(4))):
        pictures.append(plot_util.paint_errors(photo(6), label, out, near_boundary(label)))
        wrong = plot_util.wrong_share(label, out, near_boundary)
        titles.append(f"{name}: {100 * wrong:.0f} % wrong")
    return plot_util.grid(pictures, titles, width=7)


def draw_frontier() -> Axes:
    """Draw what was tried for half of the cost: three kinds of clocks."""

    def clock(name, share, agreement):
        return TunedClock(name, {}, (), share, agreement)

    lost, shares = {"every": 0.27, "fixed_rate": 0.16, "moving": 0.12}, (0.25, 0.33, 0.5, 0.7, 1)
    tried = {
        name: [clock(name, s, 1 - loss * (1 - s) ** 1.3 / s**0.4) for s in shares]
        for name, loss in lost.items()
    }
    by_kind = {name: clocks[2] for name, clocks in tried.items()}
    every = tuple(c for clocks in tried.values() for c in clocks)
    return plot_util.frontier(Tuning(by_kind["moving"], by_kind, every, 0.5))


def draw_period_sweep() -> Axes:
    """Draw two clocks at four periods."""
    periods = (1, 2, 3, 4)
    return plot_util.period_sweep(
        {
            "output repeated": {n: stale(n) for n in periods},
            "deep stage on a clock": {n: deep_clock(n) for n in periods},
        }
    )


def draw_region_bars() -> Figure:
    """Draw three schedules on slow and on fast video."""
    series = {
        title: [oracle(speed), stale(2, speed), deep_clock(2, speed)]
        for title, speed in (("slow video", 2.0), ("fast video", 7.0))
    }
    return plot_util.region_bars(series, "within 3 pixels of a boundary", width=8)


def draw_rows() -> Figure:
    """Draw two frames with truth and output."""
    times = (2, 8)
    return plot_util.rows(
        [photo(t) for t in times],
        [scene(t) for t in times],
        [output(t) for t in times],
        palette=PALETTE,
        titles=("image", "truth", "output"),
        class_names=NAMES,
        row_titles=[f"frame {t}" for t in times],
        width=7.5,
    )


def draw_segshow() -> Figure:
    """Draw a frame, its label and an output, in the palette of labels without one."""
    return plot_util.segshow(photo(5), scene(5), output(5), len(NAMES))


def draw_swatches() -> Figure:
    """Draw the palette of the street."""
    return plot_util.swatches(NAMES, PALETTE, columns=3, width=6)


def draw_timeline() -> Axes:
    """Draw which frames three clips take of a shot of 24."""
    clips = {
        f"period {n}": [(t, t % 8 == 1) for t in range(1, 25) if (t - 1) % n == 0]
        for n in (1, 2, 4)
    }
    return plot_util.timeline(clips, 24)


def draw_traces() -> Axes:
    """Draw the changes of a shot."""
    return plot_util.traces(shot())


PICTURES: dict[str, Callable[[], Figure | Axes | FuncAnimation]] = {
    name.removeprefix("draw_"): function
    for name, function in sorted(globals().items())
    if name.startswith("draw_")
}


def draw(folder: Path = FOLDER) -> Iterator[Path]:
    """Write <helper>.png into the folder for each helper of PICTURES.

    Yields
    ------
    Path
        Of each file, once it is written.
    """
    plt.switch_backend("agg")
    for name, function in PICTURES.items():
        path = folder / f"{name}.png"
        first, *others = [_with_few_colours(frame) for frame in _frames(function(), path)]
        options = {"save_all": True, "append_images": others, "duration": 400} if others else {}
        first.save(path, optimize=True, **options)
        plt.close("all")
        yield path


def _frames(drawn, path):
    """Render a figure, or every frame of an animation, as RGB images."""
    if isinstance(drawn, FuncAnimation):
        drawn.save(path, PillowWriter(), dpi=DPI)
        with Image.open(path) as film:
            for number in range(film.n_frames):
                film.seek(number)
                yield film.convert("RGB")
        return
    fig = drawn if isinstance(drawn, Figure) else drawn.figure
    png = BytesIO()
    fig.savefig(png, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.06)
    yield Image.open(png).convert("RGB")


def _with_few_colours(image):
    return image.quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    for file in draw(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(f"{file} {file.stat().st_size / 1e3:.1f} kB")
