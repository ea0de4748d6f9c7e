"""Environments: Gymnasium faces of a session."""
