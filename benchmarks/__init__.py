"""Measurements of lucidgrad beside its peers: ``python -m benchmarks --help``."""
