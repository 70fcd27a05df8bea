"""Config groups that Runyard adds to every Hydra application."""
