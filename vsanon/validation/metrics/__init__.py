"""What is measured of one cell against its truth."""
