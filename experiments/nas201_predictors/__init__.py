"""Searches on NAS-Bench-201 that learn a model of accuracy: a pretrained predictor, and gradients on a surrogate."""
