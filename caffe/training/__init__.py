"""Training: solvers, their update rules, learning rate policies and snapshots."""
