"""The Synthetic Data Vault, called as its documentation shows: metadata that it detects, its own defaults."""

VERSION_OF = "sdv"
VARIANTS = ("GaussianCopula", "TVAE", "CTGAN")


def fit(frame, task):
    """A synthesizer of sdv.single_table."""
    import numpy as np
    import sdv.single_table
    import torch
    from sdv.metadata import Metadata

    np.random.seed(task["seed"])
    torch.manual_seed(task["seed"])
    options = {} if task["epochs"] is None or task["variant"] == "GaussianCopula" else {"epochs": task["epochs"]}
    described = Metadata.detect_from_dataframes({"table": frame})
    synthesizer = getattr(sdv.single_table, f"{task['variant']}Synthesizer")(described, **options)
    synthesizer.fit({"table": frame})

    def sample(rows):
        made = synthesizer.sample(rows)
        return made["table"] if isinstance(made, dict) else made

    return sample
