"""A matrix, carried out: its file, cells, store, steps and evidence."""
