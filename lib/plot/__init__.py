"""Figures of results, one kind of plot per module; import them from `lib.plot_util`."""
