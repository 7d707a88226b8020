"""Figures of results: one kind of plot a module; `lib.plot_util` hands on all of them."""
