"""How fast: ``python -m experiments.bench [--json OUT] [--only SECTION]``."""
