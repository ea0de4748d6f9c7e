"""Run our simulators on the rows of reference tables and say how far they are from the tools that made them.

`python -m experiments.validation --refs DIR --json OUT [--only FAMILY]`

A module of this package without a leading underscore is a family: its name is the folder of its tables, and its
`COMPARATORS` say what is compared with what. Adding a family adds one module.
"""
