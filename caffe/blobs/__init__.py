"""Blobs and their memory: values on host and device, weights, fillers, device and precision."""
