"""The pages and thumbnails that list the notebooks."""
