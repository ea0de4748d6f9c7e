"""Studies: many searches, crossed from tasks, agents, settings and seeds, in one store."""
