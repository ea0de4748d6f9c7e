"""A language model as a search agent: the example of ``docs/external-agents.md``."""
