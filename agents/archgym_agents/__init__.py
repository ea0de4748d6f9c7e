"""Search agents: each module without a leading underscore is one agent, found by its file name."""
