"""The leaderboard: studies that reproduce, as one table a task and budget."""
