"""Many draws of one sampler on one oracle, counted, tested and resumable."""
