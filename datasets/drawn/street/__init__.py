"""The rendered street of the Cityscapes miniature: labelled video of any length from a seed."""
