"""Correcting in the browser: what one person's own machine serves to that person, and one page without a server."""
