"""How many simulations a proxy saves a search."""
