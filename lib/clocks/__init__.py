"""Clocks beyond the paper's, in time and space, and the search for the best within a budget."""
