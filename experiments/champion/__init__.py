"""One champion, named beforehand, against Optuna's TPE, its Gaussian process and SMAC, at defaults and tuned."""
