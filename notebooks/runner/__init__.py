"""What notebooks.run is made of: execution, parallel kernels, resuming, the report."""
