"""The audit: what a redacted file of any tool still shows of its targets, and what else leaves with it."""
