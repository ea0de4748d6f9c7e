"""Does AccelForge count what our mapping model counts?"""
