"""The small picture by which a notebook is known: the output of its one cell tagged `thumbnail`."""

import base64
import io

from PIL import Image

TAG = "thumbnail"
WIDTH, MAX_HEIGHT = 320, 240  # pixels; a taller picture is cut below
COLOURS = (256, 128, 64, 32)  # of the palette, fewer where the file would be too large
LIMIT = 60_000  # bytes


class ThumbnailError(Exception):
    """A notebook does not have exactly one thumbnail with a picture."""


def picture_of(notebook, name):
    """The PNG that the thumbnail cell of a notebook shows, as a PIL RGB image; the last of several.

    name: of the notebook, for messages. Raises ThumbnailError unless exactly one cell has the tag
    and shows a PNG.
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
            f"{name}: the cell tagged `{TAG}` shows no picture; execute the "
            "notebook, or tag a cell that draws a figure"
        )
    return on_white(Image.open(io.BytesIO(base64.b64decode(pictures[-1]))))


def on_white(image):
    """A PIL image as RGB, white where it is transparent."""
    image = image.convert("RGBA")
    page = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(page, image).convert("RGB")


def scaled(image):
    """A PIL image at WIDTH, at most MAX_HEIGHT of it from the top."""
    height = round(image.height * WIDTH / image.width)
    image = image.resize((WIDTH, height), Image.LANCZOS, reducing_gap=3)
    return image.crop((0, 0, WIDTH, min(height, MAX_HEIGHT)))


def png(image):
    """An image as the bytes of a PNG with a palette, below LIMIT bytes."""
    for colours in COLOURS:
        file = io.BytesIO()
        image.quantize(colours).save(file, "PNG", optimize=True)
        if file.tell() < LIMIT:
            break
    return file.getvalue()
