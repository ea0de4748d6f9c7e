"""Questions asked of the project, one folder each. Not installed: run them from a checkout."""
