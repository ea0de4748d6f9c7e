"""Gymnasium environments for design-space exploration of computer architectures."""
