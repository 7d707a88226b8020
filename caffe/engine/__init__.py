"""How a range of layers is run: one layer at a time, what may be reused, and backward."""
