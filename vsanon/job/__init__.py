"""A file from end to end: analysed, rendered, delivered, verified, recorded."""
