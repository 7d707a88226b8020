"""What a bedroom, a kitchen, ... contains: tables of the six kinds of room."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator

from datasets.drawn.rooms.fixtures import (
    bathtub,
    door,
    flat_screen,
    mirror,
    notices,
    picture,
    pillar,
    toilet,
    towel,
    washbasin,
    whiteboard,
    window,
)
from datasets.drawn.rooms.furniture import bed, chair, desk, piano, sofa, stool, table
from datasets.drawn.rooms.materials import boards, carpet, tiles, wood
from datasets.drawn.rooms.props import (
    bag,
    books,
    carton,
    clothes,
    floormat,
    lamp,
    papers,
    person,
    plant,
    television,
    things,
)
from datasets.drawn.rooms.solids import Maker
from datasets.drawn.rooms.storage import (
    bookshelf,
    cabinet,
    counter,
    dresser,
    nightstand,
    refridgerator,
    shelves,
)


@dataclass(frozen=True)
class Kind:
    """What a kind of room contains.

    Attributes
    ----------
    walls : sequence of (Maker, probability, props)
        Furniture against the walls, in the order of placing, and what may lie on it.
    hung : sequence of (Maker, probability)
        What hangs on the walls, above the furniture.
    middle : sequence of (Maker, probability, props)
        Furniture away from the walls, and what may lie on it.
    loose : sequence of Maker
        What lies on the floor.
    floor : sequence of callable
        Materials of the floor, each (rng) -> tile.
    """

    walls: Sequence[tuple[Maker, float, Sequence[Maker]]]
    hung: Sequence[tuple[Maker, float]]
    middle: Sequence[tuple[Maker, float, Sequence[Maker]]]
    loose: Sequence[Maker]
    floor: Sequence[Callable[[Generator], np.ndarray]]


def wooden(rng: Generator) -> np.ndarray:
    """Return a floor of boards."""
    return boards(rng, wood(rng))


low_cabinet = partial(cabinet, low=True)
worktop = partial(counter, sink=False)
coffee_table = partial(table, low=True)
tall_lamp = partial(lamp, tall=True)
blinds = partial(window, cover="blinds")
curtain = partial(window, cover="curtain")

ON_DESK = books, papers, television, television, lamp, things, carton
ON_CHEST = lamp, television, television, books, things, plant, carton
ON_COUNTER = things, things, carton, papers, plant

# fmt: off
KINDS = {
    "bedroom": Kind(
        walls=((bed, 1, (clothes, bag, books)),
               (nightstand, 1, (lamp, books, things)),
               (dresser, 1, ON_CHEST),
               (door, 0.6, ()), (cabinet, 0.7, ()), (nightstand, 0.5, (lamp,)),
               (desk, 0.4, ON_DESK),
               (bookshelf, 0.4, ()), (chair, 0.5, (clothes,)), (tall_lamp, 0.3, ())),
        hung=((curtain, 0.8), (picture, 1), (mirror, 0.9),
              (blinds, 0.3), (picture, 0.6), (flat_screen, 0.2)),
        middle=((stool, 0.5, (clothes,)), (person, 0.15, ())),
        loose=(floormat, floormat, clothes, clothes, carton, bag, things),
        floor=(wooden, carpet),
    ),
    "kitchen": Kind(
        walls=((counter, 1, ON_COUNTER),
               (refridgerator, 1, ()),
               (worktop, 0.8, ON_COUNTER),
               (door, 0.6, ()), (shelves, 0.7, ()), (cabinet, 0.4, ()), (chair, 0.5, ()),
               (low_cabinet, 0.4, ON_COUNTER)),
        hung=((window, 0.5), (blinds, 0.5), (towel, 0.7),
              (notices, 0.5), (picture, 0.4), (curtain, 0.2)),
        middle=((table, 0.8, (things, papers, books)),
                (chair, 0.7, ()), (chair, 0.6, ()), (person, 0.2, ()), (stool, 0.3, ())),
        loose=(carton, bag, floormat, things),
        floor=(wooden, tiles, tiles),
    ),
    "living_room": Kind(
        walls=((sofa, 1, ()),
               (low_cabinet, 0.9, ON_CHEST),
               (bookshelf, 0.8, ()), (door, 0.5, ()), (pillar, 0.6, ()), (sofa, 0.6, ()),
               (tall_lamp, 0.6, ()),
               (piano, 0.3, ON_CHEST),
               (shelves, 0.2, ()), (cabinet, 0.3, ()), (chair, 0.5, ())),
        hung=((curtain, 0.8), (picture, 1), (picture, 0.7),
              (blinds, 0.3), (flat_screen, 0.7), (mirror, 0.2)),
        middle=((coffee_table, 0.9, (books, papers, things, plant)),
                (stool, 0.5, ()), (chair, 0.3, ()), (person, 0.2, ())),
        loose=(floormat, floormat, plant, bag, carton, clothes, books),
        floor=(wooden, wooden, carpet),
    ),
    "bathroom": Kind(
        walls=((toilet, 1, ()), (washbasin, 1, (things,)), (bathtub, 0.9, ()),
               (door, 0.6, ()), (cabinet, 0.4, ()), (low_cabinet, 0.3, (things, plant))),
        hung=((mirror, 1), (towel, 1), (window, 0.4),
              (blinds, 0.2), (towel, 0.5), (picture, 0.2)),
        middle=(),
        loose=(floormat, floormat, things, clothes, carton),
        floor=(tiles,),
    ),
    "office": Kind(
        walls=((desk, 1, ON_DESK), (bookshelf, 1, ()), (desk, 0.7, ON_DESK),
               (shelves, 0.85, ()), (door, 0.5, ()), (cabinet, 0.4, ()), (chair, 0.8, (bag,)),
               (low_cabinet, 0.5, ON_DESK), (bookshelf, 0.3, ())),
        hung=((blinds, 0.8), (whiteboard, 0.6), (notices, 0.7), (picture, 0.5), (window, 0.2)),
        middle=((chair, 1, ()), (chair, 0.4, ()), (person, 0.25, ()),
                (table, 0.3, (papers, books, carton))),
        loose=(carton, carton, bag, books, things, papers),
        floor=(wooden, carpet, carpet),
    ),
    "classroom": Kind(
        walls=((door, 0.7, ()), (low_cabinet, 0.6, ON_DESK),
               (chair, 0.7, ()), (chair, 0.6, ()), (bookshelf, 0.4, ()), (pillar, 0.6, ()),
               (table, 0.5, (papers, carton, books)),
               (desk, 0.3, ON_DESK), (piano, 0.15, ())),
        hung=((whiteboard, 1), (blinds, 0.7), (notices, 0.8),
              (flat_screen, 0.3), (window, 0.4), (picture, 0.3)),
        middle=((table, 1, (papers, books)),
                (chair, 1, ()), (person, 0.7, ()),
                (table, 0.7, (papers, bag)),
                (chair, 1, ()), (chair, 0.8, ()), (desk, 0.4, ()), (person, 0.3, ())),
        loose=(bag, papers, carton, things),
        floor=(wooden, carpet, tiles),
    ),
}
# fmt: on
