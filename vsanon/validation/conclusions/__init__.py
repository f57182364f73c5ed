"""What the measured figures allow to be said."""
