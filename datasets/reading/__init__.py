"""How files of a dataset are read: only regular ones, of bounded size, by what they hold."""
