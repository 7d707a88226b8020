"""Thumbnails of notebooks: the output of the one cell tagged `thumbnail`."""

import base64
import io

import nbformat
from PIL import Image

TAG = "thumbnail"
WIDTH, MAX_HEIGHT = 320, 240  # pixels; a taller picture is cropped at the bottom
COLOURS = (256, 128, 64, 32)  # palette sizes, from the largest until the file fits
LIMIT = 60_000  # bytes


class ThumbnailError(Exception):
    """A notebook does not have exactly one thumbnail cell with a picture."""


def picture_of(notebook: nbformat.NotebookNode, name: str) -> Image.Image:
    """Return the last PNG in the outputs of a notebook's thumbnail cell.

    Parameters
    ----------
    notebook : NotebookNode
        An executed notebook.
    name : str
        Its name, for messages.

    Returns
    -------
    Image
        RGB.

    Raises
    ------
    ThumbnailError
        Unless exactly one cell has the tag and its outputs contain a PNG.
    """
    cells = [cell for cell in notebook.cells if TAG in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise ThumbnailError(f"{name}: {len(cells)} cells are tagged `{TAG}`, tag exactly one")
    pictures = [
        output.data["image/png"]
        for output in cells[0].get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    if not pictures:
        raise ThumbnailError(
            f"{name}: the cell tagged `{TAG}` shows no picture; execute the notebook, or tag a "
            "cell that draws a figure"
        )
    return _on_white(Image.open(io.BytesIO(base64.b64decode(pictures[-1]))))


def _on_white(image):
    """Return a PIL image as RGB on a white background."""
    image = image.convert("RGBA")
    page = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(page, image).convert("RGB")


def scaled(image: Image.Image) -> Image.Image:
    """Return an image scaled to `WIDTH` and cropped to at most `MAX_HEIGHT` from the top."""
    height = round(image.height * WIDTH / image.width)
    image = image.resize((WIDTH, height), Image.Resampling.LANCZOS, reducing_gap=3)
    return image.crop((0, 0, WIDTH, min(height, MAX_HEIGHT)))


def png(image: Image.Image) -> bytes:
    """Return an image as a palette PNG of less than `LIMIT` bytes."""
    for colours in COLOURS:
        file = io.BytesIO()
        image.quantize(colours).save(file, "PNG", optimize=True)
        if file.tell() < LIMIT:
            break
    return file.getvalue()
