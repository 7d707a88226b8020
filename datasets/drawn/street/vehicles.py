"""Cars, trucks, buses and trams: a side profile, painted, and extruded to the vehicle's width."""

from dataclasses import replace

import numpy as np

from datasets.drawn.render import Quad, Texture
from datasets.drawn.sketch import Sketch
from datasets.drawn.street.classes import BUS, CAR, TRAIN, TRUCK
from datasets.drawn.street.surfaces import masonry, plaster

DARK, GLASS = np.array((26, 26, 28)), np.array((52, 62, 72))


class Vehicle:
    """Quads about a centre on the ground, with the front towards +z.

    profile: (z, y) points in m from the lower rear over the roof to the lower front. skins: the
    texture of each stretch between two points. side: the texture of both flanks.
    """

    def __init__(self, profile, skins, side, width):
        length = profile[-1][0] - profile[0][0]
        height = max(y for _, y in profile)
        self.width, self.length = width, length
        self.quads = []
        across = np.array((width, 0, 0))
        for (z0, y0), (z1, y1), skin in zip(profile, profile[1:], skins, strict=False):
            light = 0.8 + 0.3 * abs(z1 - z0) / np.hypot(z1 - z0, y1 - y0)
            if y1 >= y0:
                corner, right = np.array((-width / 2, y0, z0)), across
            else:  # the front: seen, and so drawn, from the other end
                corner, right = np.array((width / 2, y1, z1)), -across
            along = np.array((0, y1 - y0, z1 - z0)) * (1 if y1 >= y0 else -1)
            self.quads.append(Quad(corner, right, along, skin, light=light, one_sided=True))
        up = np.array((0, height, 0))
        for way, z in ((1, profile[0][0]), (-1, profile[-1][0])):  # right flank, left flank
            corner, along = np.array((way * width / 2, 0, z)), np.array((0, 0, way * length))
            self.quads.append(Quad(corner, along, up, side, (way, 1), 0.85, one_sided=True))
        self.shadow = Quad(
            np.array((-width * 0.55, 0.02, profile[0][0] - 0.1)),
            across * 1.1,
            np.array((0, 0, length + 0.2)),
            Texture(np.zeros((2, 2, 3)), 0),
            light=0.45,
            shadow=True,
        )

    def placed(self, position, heading):
        """The quads with the centre at `position`, turned right by `heading` (rad)."""
        c, s = np.cos(heading), np.sin(heading)
        turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        return [
            replace(q, corner=turn @ q.corner + position, right=turn @ q.right, up=turn @ q.up)
            for q in (self.shadow, *self.quads)
        ]


def _sheet(rng, color, label, marks=()):
    """A 24 x 16 panel of `color` with (left, bottom, right, top, color) marks in 0..1."""
    panel = plaster(rng, 16, 24, color, grain=4)
    for left, bottom, right, top, mark in marks:
        panel[
            round(16 * (1 - top)) : round(16 * (1 - bottom)), round(24 * left) : round(24 * right)
        ] = mark
    return Texture(panel, label)


def _flank(rng, profile, paint, label, windows, wheels):
    """The side view: the filled profile with window polygons and wheels at the given z."""
    length, height = profile[-1][0] - profile[0][0], max(y for _, y in profile)
    middle = (profile[0][0] + profile[-1][0]) / 2
    s = Sketch(length, height, scale=min(40, 320 / length))
    outline = [(z - middle, y) for z, y in profile]
    s.polygon(outline, paint, label)
    s.line([*outline, outline[0]], 3 / s.scale[0], paint, label)  # so that no seam gapes
    s.polygon([(z - middle, min(y, profile[0][1] + 0.25)) for z, y in profile], paint * 0.7, label)
    for window in windows:
        s.polygon([(z - middle, y) for z, y in window], GLASS + rng.normal(0, 6), label)
    radius = 0.33 if height < 2.3 else 0.48
    for z in wheels:
        s.disc(z - middle, radius, radius, DARK, label)
        s.disc(z - middle, radius, radius * 0.5, (120, 122, 124), label)
    return s.texture(rng, grain=4)


def _car_paint(rng):
    hues = [(160, 34, 34), (44, 66, 138), (34, 84, 62), (120, 104, 80), (176, 140, 44)]
    return rng.choice(
        [
            rng.uniform(20, 60) * np.ones(3),
            rng.uniform(120, 225) * np.ones(3),
            np.array(hues[rng.integers(5)]) * rng.uniform(0.6, 1.2),
        ]
    )


def car(rng):
    """A hatchback, saloon, estate or van: label CAR."""
    paint = _car_paint(rng)
    top = rng.choice([1.42, 1.5, 1.7, 1.95], p=[0.35, 0.35, 0.2, 0.1])
    half, sill, waist = rng.uniform(1.9, 2.3), 0.28, 0.92
    tail = rng.choice([0.1, 0.45, 0.8])  # how far the rear window leans
    front = half - 1.15
    profile = [
        (-half, sill),
        (-half, waist),
        (-half + tail, top),
        (front - 0.55, top),
        (front + 0.2, waist + 0.05),
        (half, waist - 0.15),
        (half, sill),
    ]
    lamp, plate = (196, 30, 28), (220, 220, 214)
    rear = _sheet(
        rng,
        paint,
        CAR,
        [
            (0, 0, 1, 0.2, DARK),
            (0.02, 0.6, 0.2, 0.9, lamp),
            (0.8, 0.6, 0.98, 0.9, lamp),
            (0.36, 0.35, 0.64, 0.55, plate),
        ],
    )
    nose = _sheet(
        rng,
        paint,
        CAR,
        [
            (0, 0, 1, 0.2, DARK),
            (0.03, 0.65, 0.22, 0.95, (236, 236, 220)),
            (0.78, 0.65, 0.97, 0.95, (236, 236, 220)),
            (0.28, 0.4, 0.72, 0.8, DARK),
            (0.38, 0.22, 0.62, 0.36, plate),
        ],
    )
    pane = _sheet(rng, paint, CAR, [(0.06, 0.05, 0.94, 0.92, GLASS)])
    body = _sheet(rng, paint, CAR)
    skins = [rear, pane, body, pane, body, nose]
    y = waist + 0.05
    windows = [
        [
            (-half + 0.2 + tail * 0.3, y),
            (-half + tail + 0.12, top - 0.12),
            (-0.35, top - 0.12),
            (-0.35, y),
        ],
        [(-0.25, y), (-0.25, top - 0.12), (front - 0.6, top - 0.12), (front, y)],
    ]
    side = _flank(rng, profile, paint, CAR, windows, (-half + 0.75, half - 0.8))
    return Vehicle(profile, skins, side, width=1.8)


def truck(rng):
    """A lorry: a cargo box behind a cab, label TRUCK."""
    paint, box = _car_paint(rng), masonry(rng) * 1.15
    half, top = rng.uniform(3.2, 4.5), rng.uniform(2.9, 3.5)
    cab = half - 1.7
    profile = [
        (-half, 0.6),
        (-half, top),
        (cab, top),
        (cab, 2.5),
        (half - 0.2, 2.5),
        (half, 1.5),
        (half, 0.45),
    ]
    doors = _sheet(
        rng,
        box,
        TRUCK,
        [
            (0.49, 0, 0.51, 1, box * 0.6),
            (0, 0, 1, 0.06, DARK),
            (0.02, 0.02, 0.14, 0.1, (196, 30, 28)),
            (0.86, 0.02, 0.98, 0.1, (196, 30, 28)),
        ],
    )
    roof, pane = _sheet(rng, box, TRUCK), _sheet(rng, paint, TRUCK, [(0.06, 0.1, 0.94, 0.9, GLASS)])
    nose = _sheet(
        rng,
        paint,
        TRUCK,
        [
            (0.2, 0.3, 0.8, 0.8, DARK),
            (0.02, 0.1, 0.16, 0.3, (236, 236, 220)),
            (0.84, 0.1, 0.98, 0.3, (236, 236, 220)),
        ],
    )
    skins = [doors, roof, roof, _sheet(rng, paint, TRUCK), pane, nose]
    s_profile = [(z, max(y, 0.45)) for z, y in profile]
    windows = [[(cab + 0.5, 1.5), (cab + 0.5, 2.2), (half - 0.35, 2.2), (half - 0.15, 1.5)]]
    side = _flank(rng, s_profile, box, TRUCK, windows, (-half + 0.9, -half + 2.0, half - 1.0))
    return Vehicle(profile, skins, side, width=2.4)


def bus(rng):
    """A city bus: label BUS."""
    paint = rng.choice([(190, 40, 40), (220, 180, 50), (60, 90, 160), (200, 200, 196)]) * 1.0
    return _coach(rng, paint, BUS, half=rng.uniform(4.5, 6), top=3.0, lean=0.15, window=1.3)


def tram(rng):
    """A tram: label TRAIN. Longer than a bus, with a leaning front, in much the same paint."""
    paint = rng.choice([(200, 48, 44), (230, 210, 120), (70, 110, 90), (204, 204, 200)]) * 1.0
    return _coach(rng, paint, TRAIN, half=rng.uniform(9, 12), top=3.4, lean=0.8, window=1.8)


def _coach(rng, paint, label, half, top, lean, window):
    profile = [
        (-half, 0.35),
        (-half + lean * 0.3, 1.4),
        (-half + lean, top),
        (half - lean, top),
        (half - lean * 0.3, 1.4),
        (half, 0.35),
    ]
    low = _sheet(
        rng,
        paint,
        label,
        [
            (0.03, 0.5, 0.16, 0.75, (210, 50, 40)),
            (0.84, 0.5, 0.97, 0.75, (210, 50, 40)),
            (0, 0, 1, 0.12, DARK),
        ],
    )
    pane = _sheet(
        rng, paint, label, [(0.06, 0.1, 0.94, 0.72, GLASS), (0.25, 0.78, 0.75, 0.95, DARK)]
    )
    nose = _sheet(
        rng,
        paint,
        label,
        [
            (0.03, 0.3, 0.18, 0.55, (240, 240, 224)),
            (0.82, 0.3, 0.97, 0.55, (240, 240, 224)),
            (0, 0, 1, 0.12, DARK),
        ],
    )
    skins = [low, pane, _sheet(rng, paint * 0.8, label), pane, nose]
    starts = np.arange(-half + 0.5 + lean, half - lean - window, window)
    windows = [
        [(z, 1.35), (z, top - 0.6), (z + window - 0.18, top - 0.6), (z + window - 0.18, 1.35)]
        for z in starts
    ]
    wheels = (-half + 2.2, half - 2.4) if label == BUS else np.arange(-half + 2, half - 1, 3.5)
    side = _flank(rng, profile, paint, label, windows, wheels)
    return Vehicle(profile, skins, side, width=2.5)
