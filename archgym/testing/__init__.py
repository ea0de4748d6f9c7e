"""Conformance suites for simulators, environments and agents, for this project and for others."""
