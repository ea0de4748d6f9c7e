"""Ratios of the HPCA 2025 paper beside ours, and the fits behind the libraries."""
