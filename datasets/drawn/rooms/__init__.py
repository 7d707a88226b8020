"""The rendered rooms of the NYUDv2 miniature: hand-held video with the 40 classes, from a seed."""
