"""Parts of notebooks.run: execution, parallel kernels, resuming, and the report."""
