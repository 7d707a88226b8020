"""Ways to run a convolution or a pooling on the CPU: PyTorch's, a matrix product, and ncnn's."""
