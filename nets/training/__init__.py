"""How the light nets are trained: recipes, prototxts, and the command."""
