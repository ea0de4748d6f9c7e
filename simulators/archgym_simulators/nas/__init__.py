"""Neural architectures: cells, supernets and tables of measured accuracies, with hardware cost."""
