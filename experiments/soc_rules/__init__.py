"""How far are realistic rules from FARSI's, and how many random designs can be built?"""
