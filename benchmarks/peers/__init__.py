"""Other engines that run the same nets: files for them, a process for each, one environment."""
