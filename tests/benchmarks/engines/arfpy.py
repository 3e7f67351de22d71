"""Adversarial random forests (Watson et al. 2023) in its authors' Python package; it takes no nulls, and says so
itself.
"""

VERSION_OF = "arfpy"
VARIANTS = ("arf",)


def fit(frame, task):
    """Forest, then the densities of its leaves."""
    import numpy as np
    from arfpy import arf

    np.random.seed(task["seed"])
    words = frame.select_dtypes(exclude="number").columns
    model = arf.arf(x=frame.astype(dict.fromkeys(words, "category")), verbose=False)
    model.forde()
    return lambda rows: model.forge(n=rows)
