"""Many files over many workers: what is to be done, who works on it, and what became of each."""
