"""What is painted and how: masks, effects, colours and cells, on planes of samples."""
