"""Datasets of labelled images and video, one module per dataset (layouts: see README.md)."""
