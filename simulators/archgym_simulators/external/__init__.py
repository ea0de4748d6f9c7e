"""Other people's simulators behind our interface: any program by a command, DRAMSys and Ramulator 2 by path.

No family is declared here, since each needs a program that only its owner has: see ``docs/external-simulators.md`` for
the file of a few lines that makes one an environment.
"""
