"""Draw the miniature datasets: scenes from a seed, in the layouts of four datasets.

What is where
-------------
One module per dataset writes its files; `datasets.miniature` calls it:

    cityscapes.py            snippets of a street        street/
    nyud.py                  videos of rooms             rooms/
    voc.py, youtube.py       stills and shots of objects shapes/

The packages draw what these show. In each of them `scene.py` returns a frame and its labels.

    street/   layout.py (what stands), traffic.py (what moves), ground.py; built from vehicles.py,
              figures.py (people, trees, signs), surfaces.py (facades, fences); classes.py
    rooms/    kinds.py (what each kind of room contains), layout.py (where it goes); built from
              furniture.py, storage.py, fixtures.py, props.py, on solids.py and materials.py;
              classes.py
    shapes/   figures.py (the 20 classes); drawn in animals.py, vehicles.py, household.py on
              sheet.py, in colors.py; backdrop.py (what is behind)

Shared tools: render.py (a z-buffer for textured quads in 3-D), sketch.py (cut-out textures in
metres), photo.py (sky, exposure, noise).

How to add an object
--------------------
To a room: write a function `(rng, decor) -> Piece`, e.g. in furniture.py, from the boxes and panels
of solids.py, and name it in the tables of kinds.py for the kinds of room that have it.

To a street: write a function `(rng) -> Vehicle` in vehicles.py, or one in figures.py that returns
a Texture from a Sketch. Let layout.py place it as a Quad, Cutout or Mover, or traffic.py move it.

To stills and shots: write a function `(sheet, rng, phase) -> None` that draws within (-1, -1) to
(1, 1) on a Sheet. FIGURES in figures.py lists them in the order of VOC's classes; settings in
backdrop.py name where each is usual.

All randomness comes from the `rng` given, so the same seed gives the same bytes. Each draw shifts
those after it: a new object changes the scenes of every seed, and the miniatures are rendered
again because their digest covers this code. Bundled nets were trained on the scenes as they are.
"""
