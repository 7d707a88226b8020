"""Which blobs a model of whichever generation holds, by protobuf's own parser."""


def named_blobs(net):
    """Yield (layer name, its BlobProtos) for the layers of the NetParameter `net`."""
    for layer in net.layer:
        yield layer.name, layer.blobs
    for layer in net.layers:
        inner = layer.layer if layer.HasField("layer") else layer
        yield inner.name, inner.blobs
