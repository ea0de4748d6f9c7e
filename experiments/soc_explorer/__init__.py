"""How many evaluations does architectural reasoning save on systems on chip?"""
