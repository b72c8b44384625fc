"""What pages of the published scores cost while a nightly run replaces them; see `benchmarks.app.__main__`."""
