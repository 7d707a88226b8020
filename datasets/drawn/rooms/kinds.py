"""What a bedroom, a kitchen, ... contains: the furniture of the six kinds of room."""

from functools import partial

from datasets.drawn.rooms import fixtures, furniture, materials, props, storage

_low_cabinet = partial(storage.cabinet, low=True)
_coffee_table = partial(furniture.table, low=True)
_blinds = partial(fixtures.window, cover="blinds")
_curtain = partial(fixtures.window, cover="curtain")
_tall_lamp = partial(props.lamp, tall=True)

# Of each kind:
# walls: pieces against walls, the first ones placed first; (piece, chance, what lies on it).
# hung: on walls above the furniture. middle: away from walls. loose: on the floor.
# floor: what floors are made of.
_ON_DESK = (
    props.books,
    props.papers,
    props.television,
    props.television,
    props.lamp,
    props.things,
    props.carton,
)
_ON_CHEST = (
    props.lamp,
    props.television,
    props.television,
    props.books,
    props.things,
    props.plant,
    props.carton,
)
_ON_COUNTER = (props.things, props.things, props.carton, props.papers, props.plant)
_WOODEN = (lambda rng: materials.boards(rng, materials.wood(rng)),)
KINDS = {
    "bedroom": dict(
        walls=(
            (furniture.bed, 1, (props.clothes, props.bag, props.books)),
            (storage.nightstand, 1, (props.lamp, props.books, props.things)),
            (storage.dresser, 1, _ON_CHEST),
            (fixtures.door, 0.6, ()),
            (storage.cabinet, 0.7, ()),
            (storage.nightstand, 0.5, (props.lamp,)),
            (furniture.desk, 0.4, _ON_DESK),
            (storage.bookshelf, 0.4, ()),
            (furniture.chair, 0.5, (props.clothes,)),
            (_tall_lamp, 0.3, ()),
        ),
        hung=(
            (_curtain, 0.8),
            (fixtures.picture, 1),
            (fixtures.mirror, 0.9),
            (_blinds, 0.3),
            (fixtures.picture, 0.6),
            (fixtures.flat_screen, 0.2),
        ),
        middle=((furniture.stool, 0.5, (props.clothes,)), (props.person, 0.15, ())),
        loose=(
            props.floormat,
            props.floormat,
            props.clothes,
            props.clothes,
            props.carton,
            props.bag,
            props.things,
        ),
        floor=(*_WOODEN, materials.carpet),
    ),
    "kitchen": dict(
        walls=(
            (storage.counter, 1, _ON_COUNTER),
            (storage.refridgerator, 1, ()),
            (partial(storage.counter, sink=False), 0.8, _ON_COUNTER),
            (fixtures.door, 0.6, ()),
            (storage.shelves, 0.7, ()),
            (storage.cabinet, 0.4, ()),
            (furniture.chair, 0.5, ()),
            (_low_cabinet, 0.4, _ON_COUNTER),
        ),
        hung=(
            (fixtures.window, 0.5),
            (_blinds, 0.5),
            (fixtures.towel, 0.7),
            (fixtures.notices, 0.5),
            (fixtures.picture, 0.4),
            (_curtain, 0.2),
        ),
        middle=(
            (furniture.table, 0.8, (props.things, props.papers, props.books)),
            (furniture.chair, 0.7, ()),
            (furniture.chair, 0.6, ()),
            (props.person, 0.2, ()),
            (furniture.stool, 0.3, ()),
        ),
        loose=(props.carton, props.bag, props.floormat, props.things),
        floor=(*_WOODEN, materials.tiles, materials.tiles),
    ),
    "living_room": dict(
        walls=(
            (furniture.sofa, 1, ()),
            (_low_cabinet, 0.9, _ON_CHEST),
            (storage.bookshelf, 0.8, ()),
            (fixtures.door, 0.5, ()),
            (fixtures.pillar, 0.6, ()),
            (furniture.sofa, 0.6, ()),
            (_tall_lamp, 0.6, ()),
            (furniture.piano, 0.3, _ON_CHEST),
            (storage.shelves, 0.2, ()),
            (storage.cabinet, 0.3, ()),
            (furniture.chair, 0.5, ()),
        ),
        hung=(
            (_curtain, 0.8),
            (fixtures.picture, 1),
            (fixtures.picture, 0.7),
            (_blinds, 0.3),
            (fixtures.flat_screen, 0.7),
            (fixtures.mirror, 0.2),
        ),
        middle=(
            (_coffee_table, 0.9, (props.books, props.papers, props.things, props.plant)),
            (furniture.stool, 0.5, ()),
            (furniture.chair, 0.3, ()),
            (props.person, 0.2, ()),
        ),
        loose=(
            props.floormat,
            props.floormat,
            props.plant,
            props.bag,
            props.carton,
            props.clothes,
            props.books,
        ),
        floor=(*_WOODEN, *_WOODEN, materials.carpet),
    ),
    "bathroom": dict(
        walls=(
            (fixtures.toilet, 1, ()),
            (fixtures.washbasin, 1, (props.things,)),
            (fixtures.bathtub, 0.9, ()),
            (fixtures.door, 0.6, ()),
            (storage.cabinet, 0.4, ()),
            (_low_cabinet, 0.3, (props.things, props.plant)),
        ),
        hung=(
            (fixtures.mirror, 1),
            (fixtures.towel, 1),
            (fixtures.window, 0.4),
            (_blinds, 0.2),
            (fixtures.towel, 0.5),
            (fixtures.picture, 0.2),
        ),
        middle=(),
        loose=(props.floormat, props.floormat, props.things, props.clothes, props.carton),
        floor=(materials.tiles,),
    ),
    "office": dict(
        walls=(
            (furniture.desk, 1, _ON_DESK),
            (storage.bookshelf, 1, ()),
            (furniture.desk, 0.7, _ON_DESK),
            (storage.shelves, 0.85, ()),
            (fixtures.door, 0.5, ()),
            (storage.cabinet, 0.4, ()),
            (furniture.chair, 0.8, (props.bag,)),
            (_low_cabinet, 0.5, _ON_DESK),
            (storage.bookshelf, 0.3, ()),
        ),
        hung=(
            (_blinds, 0.8),
            (fixtures.whiteboard, 0.6),
            (fixtures.notices, 0.7),
            (fixtures.picture, 0.5),
            (fixtures.window, 0.2),
        ),
        middle=(
            (furniture.chair, 1, ()),
            (furniture.chair, 0.4, ()),
            (props.person, 0.25, ()),
            (furniture.table, 0.3, (props.papers, props.books, props.carton)),
        ),
        loose=(props.carton, props.carton, props.bag, props.books, props.things, props.papers),
        floor=(*_WOODEN, materials.carpet, materials.carpet),
    ),
    "classroom": dict(
        walls=(
            (fixtures.door, 0.7, ()),
            (_low_cabinet, 0.6, _ON_DESK),
            (furniture.chair, 0.7, ()),
            (furniture.chair, 0.6, ()),
            (storage.bookshelf, 0.4, ()),
            (fixtures.pillar, 0.6, ()),
            (furniture.table, 0.5, (props.papers, props.carton, props.books)),
            (furniture.desk, 0.3, _ON_DESK),
            (furniture.piano, 0.15, ()),
        ),
        hung=(
            (fixtures.whiteboard, 1),
            (_blinds, 0.7),
            (fixtures.notices, 0.8),
            (fixtures.flat_screen, 0.3),
            (fixtures.window, 0.4),
            (fixtures.picture, 0.3),
        ),
        middle=(
            (furniture.table, 1, (props.papers, props.books)),
            (furniture.chair, 1, ()),
            (props.person, 0.7, ()),
            (furniture.table, 0.7, (props.papers, props.bag)),
            (furniture.chair, 1, ()),
            (furniture.chair, 0.8, ()),
            (furniture.desk, 0.4, ()),
            (props.person, 0.3, ()),
        ),
        loose=(props.bag, props.papers, props.carton, props.things),
        floor=(*_WOODEN, materials.carpet, materials.tiles),
    ),
}
