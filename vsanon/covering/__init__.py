"""What is painted and how: masks, effects, colours and swatches, on planes of samples."""
