"""What stages cost on this machine: python -m benchmarks.run, or make bench."""
