"""Cost models of computer architectures: designs and a workload in, metrics out."""
