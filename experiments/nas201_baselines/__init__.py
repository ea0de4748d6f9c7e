"""Our agents on NAS-Bench-201, held against published means of the same searches."""
