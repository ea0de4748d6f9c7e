"""What loading a large dataset takes: memory against the size of its columns, and processor time."""
