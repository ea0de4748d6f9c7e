"""Tensor engines at bit level: the digits of a multiply-accumulate as a dimension of the design."""
