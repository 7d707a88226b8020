"""How layers are run: one layer forward or backward, and a net's state between runs."""
