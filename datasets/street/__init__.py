"""The rendered street behind datasets/miniature.py: labelled video of any length from a seed."""
