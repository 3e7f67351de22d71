"""synthcity: the plugins that its authors compare most, their own defaults."""

VERSION_OF = "synthcity"
VARIANTS = ("ddpm", "arf", "bayesian_network", "nflow")


def fit(frame, task):
    """A plugin by its name; synthcity takes no nulls in most of them, and says so itself."""
    from synthcity.plugins import Plugins
    from synthcity.plugins.core.dataloader import GenericDataLoader

    options = {"n_iter": task["epochs"]} if task["epochs"] is not None and task["variant"] in ("ddpm", "nflow") else {}
    plugin = Plugins().get(task["variant"], random_state=task["seed"], **options)
    plugin.fit(GenericDataLoader(frame, target_column=task["target"]) if task["target"] else GenericDataLoader(frame))
    return lambda rows: plugin.generate(count=rows).dataframe()
