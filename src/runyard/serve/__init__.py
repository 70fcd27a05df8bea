"""Pages over sweeps, for a browser. Knows what is on disk; whoever serves them checks who asks."""
