"""Draw the miniature datasets: scenes from a seed, in the layouts of four datasets.

What is where
-------------
One module per dataset writes its files, for `datasets.miniature`:

    cityscapes.py       snippets of a drive along a street, from street/
    nyud.py             videos of rooms, from rooms/
    voc.py, youtube.py  stills and shots of single objects, from shapes/

Each package has a scene.py that returns frames with their labels. The rest of street/:

    layout.py     what stands along the street
    traffic.py    what moves: vehicles, pedestrians, and the camera's own car
    ground.py     road, markings, pavements and grass, as a map
    vehicles.py   cars, trucks, buses and trams, as solids
    figures.py    people, two-wheelers, trees, signs and lights, as cut-outs
    surfaces.py   facades, walls, fences and hedges
    classes.py    the 19 labels

of rooms/:

    kinds.py      tables of what each kind of room contains
    layout.py     where it is put
    furniture.py, storage.py, fixtures.py, props.py   what it is
    solids.py     boxes, panels and boards that all this is built from
    materials.py  wood, cloth, paint, ...
    classes.py    the 40 labels

and of shapes/:

    figures.py    the 20 classes, and clutter
    animals.py, vehicles.py, household.py             how they look
    sheet.py      what a figure is drawn on
    backdrop.py   what is behind it
    colors.py     random colours

Tools that they share: render.py (a z-buffer for textured quads in 3-D), sketch.py (cut-out
textures, drawn in metres) and photo.py (sky, haze, exposure, noise).

How to add an object
--------------------
To a room: write a function `(rng, decor) -> Piece`, e.g. in furniture.py, from the boxes and panels
of solids.py, and name it in the tables of kinds.py for the kinds of room that have it.

To a street: write a function `(rng) -> Vehicle` in vehicles.py, or one in figures.py that returns
a Texture from a Sketch. Let layout.py place it as a Quad, Cutout or Mover, or traffic.py move it.

To stills and shots: write a function `(sheet, rng, phase) -> None` that draws within (-1, -1) to
(1, 1) on a Sheet. FIGURES in figures.py lists them in the order of VOC's classes; SETTINGS in
backdrop.py say in what surroundings each is usual.

All randomness comes from the `rng` given: the same seed gives the same bytes. A new object shifts
the random numbers of those after it, and so changes the scenes of every seed. The bundled nets were
trained on the scenes as they are. Any edit of the code that draws a dataset, even of a comment,
makes `datasets.miniature` render that dataset again, because it compares a digest of the source.
"""
