"""The list of notebooks with thumbnails, and the check of committed notebooks."""
