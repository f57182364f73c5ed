"""The track file: its records, people's edits, and the table that rendering reads."""
