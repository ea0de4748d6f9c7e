"""Does every agent beat random search? Area under log regret, and evaluations to 0.1 % of the optimum."""
