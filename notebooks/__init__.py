"""The notebooks, and the commands that run, list and check them."""
