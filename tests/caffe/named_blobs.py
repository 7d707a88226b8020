"""The blobs of a NetParameter of any generation, for comparison with our own reader."""


def named_blobs(net):
    """Yield (layer name, its BlobProtos) for each layer of the NetParameter `net`."""
    for layer in net.layer:
        yield layer.name, layer.blobs
    for layer in net.layers:
        inner = layer.layer if layer.HasField("layer") else layer
        yield inner.name, inner.blobs
