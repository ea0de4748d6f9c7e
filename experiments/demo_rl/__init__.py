"""One RL agent trains on the DRAM controller beside random search: `make demo-rl`."""
