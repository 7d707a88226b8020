"""Notebooks, and commands that compose what is below: notebooks.run."""
