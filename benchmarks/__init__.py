"""What stages and weights files cost on this machine: make bench."""
