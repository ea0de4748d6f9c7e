"""Do many agents, one a parameter, beat one: what of it is reach, what is factorisation, what is many agents?"""
