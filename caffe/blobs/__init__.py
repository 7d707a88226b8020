"""Where the numbers are: blobs, learned blobs, fillers, the device and its memory."""
