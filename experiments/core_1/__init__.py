"""The suite core-1: its certified optima, and the evidence that its tasks tell search methods apart."""
