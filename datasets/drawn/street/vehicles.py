"""Cars, trucks, buses and trams: a painted side profile, extruded to the vehicle's width."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from datasets.drawn.render import Quad, Texture
from datasets.drawn.sketch import Point, Sketch
from datasets.drawn.street.classes import BUS, CAR, TRAIN, TRUCK
from datasets.drawn.street.surfaces import masonry, plaster

DARK, GLASS = np.array((26, 26, 28)), np.array((52, 62, 72))
_RED_LAMP, _WHITE_LAMP, _PLATE = (196, 30, 28), (236, 236, 220), (220, 220, 214)


class Vehicle:
    """Quads about a centre on the ground, with the front towards +z.

    Parameters
    ----------
    profile : sequence of (z, y)
        Points in metres from the lower rear over the roof to the lower front.
    skins : iterable of Texture
        One for each stretch between two points.
    side : Texture
        Both flanks.
    width : float
        Width in metres.
    """

    def __init__(
        self, profile: Sequence[Point], skins: Iterable[Texture], side: Texture, width: float
    ) -> None:
        rear, front = profile[0][0], profile[-1][0]
        length, height = front - rear, max(y for _, y in profile)
        self.width, self.length = width, length
        self.quads = []
        for (z0, y0), (z1, y1), skin in zip(profile, profile[1:], skins):
            light = 0.8 + 0.3 * abs(z1 - z0) / np.hypot(z1 - z0, y1 - y0)
            if y1 >= y0:
                corner, right, up = (-width / 2, y0, z0), (width, 0, 0), (0, y1 - y0, z1 - z0)
            else:  # the front: seen, and so drawn, from the other end
                corner, right, up = (width / 2, y1, z1), (-width, 0, 0), (0, y0 - y1, z0 - z1)
            self.quads.append(Quad(corner, right, up, skin, light=light, one_sided=True))
        for way, z in ((1, rear), (-1, front)):  # right flank, left flank
            corner, along = (way * width / 2, 0, z), (0, 0, way * length)
            flank = Quad(corner, along, (0, height, 0), side, (way, 1), 0.85, one_sided=True)
            self.quads.append(flank)
        corner, size = (-width * 0.55, 0.02, rear - 0.1), (width * 1.1, length + 0.2)
        dark = Texture(np.zeros((2, 2, 3)), 0)
        self.shadow = Quad(corner, (size[0], 0, 0), (0, 0, size[1]), dark, light=0.45, shadow=True)

    def placed(self, position: np.ndarray, heading: float) -> list[Quad]:
        """Return the quads with the centre at `position`, turned right by `heading` (rad)."""
        c, s = np.cos(heading), np.sin(heading)
        turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        return [
            replace(q, corner=turn @ q.corner + position, right=turn @ q.right, up=turn @ q.up)
            for q in (self.shadow, *self.quads)
        ]


def _sheet(rng, color, label, marks=()):
    """Draw a panel of `color`, 24 x 16 texels, with (left, bottom, right, top, color) marks."""
    panel = plaster(rng, 16, 24, color, grain=4)
    for left, bottom, right, top, mark in marks:
        rows = slice(round(16 * (1 - top)), round(16 * (1 - bottom)))
        panel[rows, round(24 * left) : round(24 * right)] = mark
    return Texture(panel, label)


def _pair(left, bottom, right, top, color):
    """Return a mark of a sheet and its mirror image, as for lamps."""
    return (left, bottom, right, top, color), (1 - right, bottom, 1 - left, top, color)


def _flank(rng, profile, paint, label, windows, wheels):
    """Draw the side view: the filled profile with window polygons and wheels at the given z."""
    length, height = profile[-1][0] - profile[0][0], max(y for _, y in profile)
    middle = (profile[0][0] + profile[-1][0]) / 2
    s = Sketch(length, height, label, scale=min(40, 320 / length))
    outline = [(z - middle, y) for z, y in profile]
    s.polygon(outline, paint)
    s.line([*outline, outline[0]], 3 / s.scale[0], paint)  # leaves no gap at the seams
    s.polygon([(z, min(y, profile[0][1] + 0.25)) for z, y in outline], paint * 0.7)
    for window in windows:
        s.polygon([(z - middle, y) for z, y in window], GLASS + rng.normal(0, 6))
    radius = 0.33 if height < 2.3 else 0.48
    for z in wheels:
        s.disc(z - middle, radius, radius, DARK)
        s.disc(z - middle, radius, radius * 0.5, (120, 122, 124))
    return s.texture(rng, grain=4)


def _car_paint(rng):
    """Return a colour of cars: dark, light or a hue."""
    hues = [(160, 34, 34), (44, 66, 138), (34, 84, 62), (120, 104, 80), (176, 140, 44)]
    dark, light = rng.uniform(20, 60) * np.ones(3), rng.uniform(120, 225) * np.ones(3)
    return rng.choice([dark, light, np.array(hues[rng.integers(5)]) * rng.uniform(0.6, 1.2)])


def car(rng: Generator) -> Vehicle:
    """Build a hatchback, saloon, estate or van: label CAR."""
    paint = _car_paint(rng)
    top = rng.choice([1.42, 1.5, 1.7, 1.95], p=[0.35, 0.35, 0.2, 0.1])
    half, sill, waist = rng.uniform(1.9, 2.3), 0.28, 0.92
    tail = rng.choice([0.1, 0.45, 0.8])  # how far the rear window leans
    screen = half - 1.15
    rear = [(-half, sill), (-half, waist), (-half + tail, top)]
    bonnet = [(screen + 0.2, waist + 0.05), (half, waist - 0.15), (half, sill)]
    profile = [*rear, (screen - 0.55, top), *bonnet]
    lamps = _pair(0.02, 0.6, 0.2, 0.9, _RED_LAMP)
    back = [(0, 0, 1, 0.2, DARK), *lamps, (0.36, 0.35, 0.64, 0.55, _PLATE)]
    lamps = _pair(0.03, 0.65, 0.22, 0.95, _WHITE_LAMP)
    grille = (0.28, 0.4, 0.72, 0.8, DARK), (0.38, 0.22, 0.62, 0.36, _PLATE)
    front = [(0, 0, 1, 0.2, DARK), *lamps, *grille]
    tailgate, nose = _sheet(rng, paint, CAR, back), _sheet(rng, paint, CAR, front)
    pane = _sheet(rng, paint, CAR, [(0.06, 0.05, 0.94, 0.92, GLASS)])
    body = _sheet(rng, paint, CAR)
    skins = [tailgate, pane, body, pane, body, nose]
    low, high = waist + 0.05, top - 0.12
    start = -half + 0.2 + tail * 0.3
    windows = [
        [(start, low), (-half + tail + 0.12, high), (-0.35, high), (-0.35, low)],
        [(-0.25, low), (-0.25, high), (screen - 0.6, high), (screen, low)],
    ]
    side = _flank(rng, profile, paint, CAR, windows, (-half + 0.75, half - 0.8))
    return Vehicle(profile, skins, side, width=1.8)


def truck(rng: Generator) -> Vehicle:
    """Build a lorry, a cargo box behind a cab: label TRUCK."""
    paint, box = _car_paint(rng), masonry(rng) * 1.15
    half, top = rng.uniform(3.2, 4.5), rng.uniform(2.9, 3.5)
    cab = half - 1.7
    cargo = [(-half, 0.6), (-half, top), (cab, top)]
    profile = [*cargo, (cab, 2.5), (half - 0.2, 2.5), (half, 1.5), (half, 0.45)]
    lamps = _pair(0.02, 0.02, 0.14, 0.1, _RED_LAMP)
    back = [(0.49, 0, 0.51, 1, box * 0.6), (0, 0, 1, 0.06, DARK), *lamps]
    front = [(0.2, 0.3, 0.8, 0.8, DARK), *_pair(0.02, 0.1, 0.16, 0.3, _WHITE_LAMP)]
    doors, roof = _sheet(rng, box, TRUCK, back), _sheet(rng, box, TRUCK)
    pane = _sheet(rng, paint, TRUCK, [(0.06, 0.1, 0.94, 0.9, GLASS)])
    nose = _sheet(rng, paint, TRUCK, front)
    skins = [doors, roof, roof, _sheet(rng, paint, TRUCK), pane, nose]
    flank = [(z, max(y, 0.45)) for z, y in profile]
    windows = [[(cab + 0.5, 1.5), (cab + 0.5, 2.2), (half - 0.35, 2.2), (half - 0.15, 1.5)]]
    side = _flank(rng, flank, box, TRUCK, windows, (-half + 0.9, -half + 2.0, half - 1.0))
    return Vehicle(profile, skins, side, width=2.4)


def bus(rng: Generator) -> Vehicle:
    """Build a city bus: label BUS."""
    paint = rng.choice([(190, 40, 40), (220, 180, 50), (60, 90, 160), (200, 200, 196)]) * 1.0
    return _coach(rng, paint, BUS, half=rng.uniform(4.5, 6), top=3.0, lean=0.15, window=1.3)


def tram(rng: Generator) -> Vehicle:
    """Build a tram: label TRAIN. Longer than a bus, with a leaning front, in similar paint."""
    paint = rng.choice([(200, 48, 44), (230, 210, 120), (70, 110, 90), (204, 204, 200)]) * 1.0
    return _coach(rng, paint, TRAIN, half=rng.uniform(9, 12), top=3.4, lean=0.8, window=1.8)


def _coach(rng, paint, label, half, top, lean, window):
    """Build a bus or tram 2 * `half` m long, with windows `window` m wide."""
    rear = [(-half, 0.35), (-half + lean * 0.3, 1.4), (-half + lean, top)]
    profile = rear + [(-z, y) for z, y in reversed(rear)]
    back = [*_pair(0.03, 0.5, 0.16, 0.75, (210, 50, 40)), (0, 0, 1, 0.12, DARK)]
    glass = [(0.06, 0.1, 0.94, 0.72, GLASS), (0.25, 0.78, 0.75, 0.95, DARK)]
    front = [*_pair(0.03, 0.3, 0.18, 0.55, (240, 240, 224)), (0, 0, 1, 0.12, DARK)]
    low, pane, nose = (_sheet(rng, paint, label, marks) for marks in (back, glass, front))
    skins = [low, pane, _sheet(rng, paint * 0.8, label), pane, nose]
    windows = []
    for z in np.arange(-half + 0.5 + lean, half - lean - window, window):
        end = z + window - 0.18
        windows.append([(z, 1.35), (z, top - 0.6), (end, top - 0.6), (end, 1.35)])
    wheels = (-half + 2.2, half - 2.4) if label == BUS else np.arange(-half + 2, half - 1, 3.5)
    side = _flank(rng, profile, paint, label, windows, wheels)
    return Vehicle(profile, skins, side, width=2.5)
