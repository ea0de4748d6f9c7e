"""The table of measured accuracies behind ``archgym/NAS201Digits-v0``: how it was made, and how to check a row."""
