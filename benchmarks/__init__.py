"""Benchmarks: each runs as `python -m benchmarks.NAME`, checks its contestants, and ends with a line of JSON."""
