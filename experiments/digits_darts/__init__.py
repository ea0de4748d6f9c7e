"""Differentiable search on the jitter-digits task: DARTS of first order, and with partial channels."""
