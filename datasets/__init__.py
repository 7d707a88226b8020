"""Datasets of labelled images and video, one module each (see README.md for the layouts)."""
