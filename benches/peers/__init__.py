"""The same jobs by this library and by its peers, see `__main__`."""
