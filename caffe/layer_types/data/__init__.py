"""What data layers read: databases, lists of images, HDF5 files, means; and how images are
transformed on the way. Nothing here knows layers or nets; the layers are in layer_types/.

All files are taken for hostile until proven: nothing in them is executed, sizes are checked before
memory is taken, and every fault is a DataError that names the file and the place in it.
"""
