"""Detections over time: linked, joined, smoothed and held; pure functions on arrays."""
