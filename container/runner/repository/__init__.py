"""What a repository says about itself: its `.pullwright/config.yaml`, and what its files give away."""
