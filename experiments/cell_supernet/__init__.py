"""One-shot and few-shot ranking of cells by weight-sharing supernets on the jitter-digits task."""
