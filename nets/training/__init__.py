"""Training of the light nets: recipes, prototxt files, and the command that trains."""
