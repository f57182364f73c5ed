"""Evidence to documents: the canonical report, its pages, its manifest and signature."""
