"""How well does a supernet rank its subnets, against training each of them from scratch?"""
