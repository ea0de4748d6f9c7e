"""How accurate proxies are, and what they save."""
