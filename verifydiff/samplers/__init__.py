"""Reference samplers in JAX, each written by hand as its equation reads."""
