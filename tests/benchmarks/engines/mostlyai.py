"""mostlyai-engine (TabularARGN), its five steps in a workspace, its own defaults."""

import os

VERSION_OF = "mostlyai-engine"
VARIANTS = ("TabularARGN",)


def fit(frame, task):
    """Trains until its own early stopping, or for `epochs`."""
    import pandas as pd
    from mostlyai import engine

    place = task["out"] + ".workspace"
    os.makedirs(place, exist_ok=True)
    engine.set_random_state(task["seed"])
    engine.split(tgt_data=frame, workspace_dir=place, model_type="TABULAR")
    engine.analyze(workspace_dir=place)
    engine.encode(workspace_dir=place)
    engine.train(workspace_dir=place, **({} if task["epochs"] is None else {"max_epochs": task["epochs"]}))

    def sample(rows):
        engine.generate(workspace_dir=place, sample_size=rows)
        return pd.read_parquet(os.path.join(place, "SyntheticData"))

    return sample
