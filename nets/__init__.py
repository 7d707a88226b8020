"""The nets of the paper: their specification, the prototxt written from it, and their weights."""
