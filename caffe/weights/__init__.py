"""Weights files to blobs and back: caffemodel, HDF5, PyTorch's state dicts."""
