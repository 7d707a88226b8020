"""Layers that read or write data, and the readers behind them.

Layers, by prototxt type:

- `database`: Data, labelled images of an LMDB
- `image_data`: ImageData, image files that a text file lists with their labels
- `hdf5`: HDF5Data, rows of HDF5 files, and HDF5Output, which writes them
- `memory_data`: MemoryData, arrays that the user passes to the net
- `dummy_data`: DummyData, blobs filled with constants or noise
- `base`: Source and ImageSource, the base classes of all of these but DummyData and HDF5Output

Readers, which know nothing of layers or nets:

- `lmdb_records`: a cursor over the records of an LMDB
- `lmdb_check`: validates an LMDB file before the library maps it
- `datum`: Datum, the record of a database, to an array
- `images`: image files to arrays, and resizing as OpenCV does it
- `hdf5_rows`: batches of rows from a list of HDF5 files
- `hdf5_append`: HDF5 files that rows are added to, whole at every moment
- `files`: checks of paths, and text files that list others
- `transform`: transform_param, that is mean, scale, crop and mirror

The readers trust no file: they execute nothing in it, check sizes before they allocate memory, and
raise every fault as a DataError that names the file and the place in it.
"""
