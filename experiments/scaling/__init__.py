"""What large studies cost, from measured parts, and where their scheduler saturates."""
