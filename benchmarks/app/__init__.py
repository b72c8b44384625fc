"""What pages of the published scores cost while a nightly run replaces them; see `benchmarks.app.__main__`."""

NIGHTS = 90
"""Nights of history that a lead has."""
