"""What was there: true boxes, their files, and how they follow cut and scaled pictures."""
