"""The nets of the paper: specifications, the prototxt files built from them, and weights."""
