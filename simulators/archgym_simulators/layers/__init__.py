"""Layers of neural networks as data, shared by every family that runs networks: tables, specs, features, splits."""
