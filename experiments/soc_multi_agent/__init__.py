"""Do several agents design a chip better than one?"""
