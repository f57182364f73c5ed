"""Pictures that vsanon draws itself, with exact truth."""
