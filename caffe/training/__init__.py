"""Training: solvers, their update rules, learning rates and snapshots."""
