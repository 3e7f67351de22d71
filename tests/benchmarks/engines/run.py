"""Runs one engine in its own interpreter: `python -I run.py NAME TASK`. It needs pandas and pyarrow there, and nothing
of synthcli.

TASK is JSON: {train: parquet file, out: parquet file, rows, target, unit, seed, epochs, variant}; the last line printed
is JSON: {fit_seconds, sample_seconds, version}. An engine is a file here with VERSION_OF (its package), VARIANTS, and
either `fit(frame, task) -> (rows -> frame)` or, where it reads and writes the files itself, `produce(task) ->
{fit_seconds, sample_seconds}`.
"""

import importlib.util
import json
import os
import sys
import time
import warnings
from importlib import metadata


def load(name):
    """The engine of that file name; under another module name, so that `import sdv` in sdv.py finds the package."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"engine_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_frames(engine, task):
    """Fit and sample an engine that takes a frame and gives one. Keys say nothing of a row: nobody is shown them, and
    they are counted anew.
    """
    import pandas as pd

    frame = read(task["train"])
    order, unit = list(frame.columns), task["unit"]
    if unit is not None:
        frame = frame.drop(columns=unit)
    started = time.perf_counter()
    sample = engine.fit(frame, task)
    fitted = time.perf_counter()
    made = sample(task["rows"])
    done = time.perf_counter()
    if unit is not None:
        made = made.assign(**{unit: pd.RangeIndex(len(made)).astype(str)})
    made[order].to_parquet(task["out"], index=False)
    return {"fit_seconds": fitted - started, "sample_seconds": done - fitted}


def read(path):
    """A frame of plain pandas types: days as datetimes, whole numbers with gaps as floats."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    frame = table.to_pandas()
    for field in table.schema:
        if pa.types.is_date(field.type):
            frame[field.name] = pd.to_datetime(frame[field.name])
        if pa.types.is_decimal(field.type):
            frame[field.name] = frame[field.name].astype(float)
    return frame


def main():
    """One task; variants alone with the word `variants`."""
    name, task_path = sys.argv[1:3]
    engine = load(name)
    if task_path == "variants":
        print(json.dumps({"variants": list(engine.VARIANTS), "version": metadata.version(engine.VERSION_OF)}))
        return
    with open(task_path) as file:
        task = json.load(file)
    warnings.simplefilter("ignore")
    said = engine.produce(task) if hasattr(engine, "produce") else by_frames(engine, task)
    print("\n" + json.dumps({**said, "version": metadata.version(engine.VERSION_OF)}))


if __name__ == "__main__":
    main()
