"""Measuring against truth: what was there, what was covered, and for how long it was not."""
