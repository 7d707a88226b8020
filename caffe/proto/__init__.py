"""The messages of Caffe's files: caffe.proto, and caffe_pb2 generated from it."""
