"""Attackers on what the looks leave: reading, linking, inverting; and what each look is worth by them."""
