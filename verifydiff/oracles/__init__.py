"""Data with known answers, as NumPyro distributions and models."""
