"""Benchmarks of stages, engine and weights files on this machine: make bench."""
