"""This package, through its public function and a spec, as a user runs it."""

import json
import sys
from pathlib import Path

VERSION_OF = "synthcli"
VARIANTS = ("trees", "arnet")

sys.path.insert(0, str(Path(__file__).parents[3]))  # the tree that this file belongs to, wherever else it is installed


def produce(task):
    """A run up to and with `generate`; its own record says what it took."""
    import synthcli
    from synthcli import plugins

    folder = Path(task["out"]).parent / "runs"
    known = plugins.method(task["variant"], "tabular").Params.model_fields if task["variant"] != "auto" else {}
    params = {key: task[key] for key in ("epochs",) if task[key] is not None and key in known}
    body = {
        "name": "bench",
        "seed": task["seed"],
        "source": {"type": "parquet", "path": task["train"], "split": {"validation": 0, "holdout": 0}},
        "generator": {"method": task["variant"], "params": params},
        "generate": {"rows": task["rows"]},
    }
    if task["unit"] is not None:
        body |= {"privacy_unit": task["unit"], "modality": "tabular"}  # as the other engines: each row by itself
    if task["target"] is not None:
        body["evaluate"] = {"target": task["target"]}
    spec = folder.with_suffix(".yaml")
    spec.write_text(json.dumps(body))
    run = synthcli.execute(spec, root=folder, upto="generate")
    Path(task["out"]).unlink(missing_ok=True)
    run.data.rename(task["out"])
    took = {
        name: json.loads((run.version.folder / place).read_text())
        for name, place in (("fit", "2-train/fit.json"), ("sample", "3-generate/sample.json"))
    }
    return {"fit_seconds": took["fit"]["seconds"], "sample_seconds": took["sample"]["seconds"]}
