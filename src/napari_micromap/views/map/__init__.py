"""The map of micrographs, on screen."""
