"""Do the cost model and synthesis agree on tensor engines?"""
