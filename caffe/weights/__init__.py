"""Weights files: .caffemodel, .caffemodel.h5 and PyTorch state dicts to blobs and back."""
