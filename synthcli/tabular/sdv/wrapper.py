"""Wrapper of sdv's synthesizers: random states, logging, progress, pickling.

sdv gets a table of plain numbers and of codes as words, without nulls. The codec handles types, nulls, point masses,
keys and dates.
"""

from __future__ import annotations

import contextlib
import io
import logging
import pickle
import random
import threading
import warnings
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from synthcli import seeds
from synthcli.columns.codec.codec import Codec, Values
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job
from synthcli.errors import FitError, did_you_mean
from synthcli.tabular.model import CodedModel, encode, fill_missing, restore
from synthcli.tabular.sdv.layout import Layout, words

TABLE = "table"  # the table's name in sdv
PICKLE = "model.pkl"
WIDE = 256  # codes of more categories become two columns, since a network has an output per category
LOGGERS = ("sdv", "rdt", "copulas", "ctgan", "SingleTableSynthesizer")

# without sdv's gaussian_kde, which samples only about thirty rows per second
Family = Literal["norm", "beta", "truncnorm", "uniform", "gamma"]
Layers = tuple[int, ...]
_global_state = threading.RLock()  # guards the global random states of numpy, torch and Python


class Net(BaseModel):
    """Parameters common to sdv's networks. epochs is the dial: longer training copies more."""

    model_config = ConfigDict(extra="forbid")
    epochs: int = Field(
        300, ge=1, le=100_000, description="passes over the data; more is more faithful, fewer is more private"
    )
    batch_size: int = Field(500, ge=2, le=100_000, description="rows in a training step")
    embedding_dim: int = Field(
        128, ge=1, le=4096, description="size of the random vector from which a row is generated"
    )


class Gan(Net):
    """Parameters of CTGAN (Xu et al. 2019), with sdv's names."""

    generator_dim: Layers = Field((256, 256), min_length=1, description="sizes of the generator's residual layers")
    discriminator_dim: Layers = Field((256, 256), min_length=1, description="sizes of the discriminator's layers")
    generator_lr: float = Field(2e-4, gt=0, le=1, description="learning rate of the generator")
    generator_decay: float = Field(1e-6, ge=0, le=1, description="weight decay of the generator")
    discriminator_lr: float = Field(2e-4, gt=0, le=1, description="learning rate of the discriminator")
    discriminator_decay: float = Field(1e-6, ge=0, le=1, description="weight decay of the discriminator")
    discriminator_steps: int = Field(
        1, ge=1, le=100, description="steps of the discriminator per step of the generator"
    )
    log_frequency: bool = Field(True, description="oversample rare categories: by the logarithm of their frequency")
    pac: int = Field(
        10,
        ge=1,
        le=1000,
        description="rows that the discriminator judges together; batch_size must be a multiple of it",
    )

    @model_validator(mode="after")
    def _whole_packs(self) -> Self:
        if self.batch_size % self.pac or self.batch_size % 2:
            raise ValueError(f"batch_size is {self.batch_size}; expected an even multiple of pac, which is {self.pac}")
        return self


class Margins(BaseModel):
    """The family of distributions of each number."""

    default_distribution: Family = Field("beta", description="distribution of the numbers")
    numerical_distributions: dict[str, Family] = Field(
        {}, description="distributions of single columns, by column name"
    )


class SdvModel(CodedModel):
    """A fitted sdv synthesizer with its layout. pickled: the synthesizer, or None if every column is constant.

    The pickle of the fit is what is saved, since sampling changes random states inside sdv's objects.
    """

    def __init__(self, codec: Codec, layout: Layout, pickled: bytes) -> None:
        super().__init__(codec)
        self.layout, self.pickled = layout, pickled
        with quiet_and_seeded(np.random.default_rng(0)):
            self.synthesizer = pickle.loads(pickled)
            _settle(self.synthesizer)

    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        if self.synthesizer is None or not rows:
            return self.layout.decode(pd.DataFrame({name: words(np.zeros(0)) for name in self.layout.columns()}), rows)
        import torch

        with quiet_and_seeded(rng), torch.no_grad():
            self.synthesizer.reset_sampling()
            self.synthesizer._set_random_state(seeds.fork(rng))  # otherwise sdv resets it to a constant
            frame = self.synthesizer.sample(rows)[TABLE]
        return self.layout.decode(frame, rows)

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return self.layout.arrays(), self.layout.to_json()

    def save(self, folder: Path) -> None:
        """Save the codec and the layout as JSON and arrays, and sdv's object as a pickle, its only format."""
        super().save(folder)
        (folder / PICKLE).write_bytes(self.pickled)


def load(folder: Path) -> SdvModel:
    """Load the model that `save` wrote. It unpickles: the caller must have verified the file."""
    codec, arrays, plain = restore(folder)
    return SdvModel(codec, Layout.from_json(codec.parts, plain, arrays), (folder / PICKLE).read_bytes())


def fit(data: Table, name: str, params: BaseModel, *, job: Job, wide: int | None = WIDE) -> SdvModel:
    """Fit the synthesizer sdv.single_table.<name>. wide: number of categories above which a code becomes two columns.

    Raises FitError if a named column is not a number, or if training diverges.
    """
    codec, values = encode(data, job)
    rng = job.stream("sdv")
    values = {p.name: values[p.name] if p.is_code else fill_missing(values[p.name], rng=rng) for p in codec.parts}
    options = params.model_dump()
    families = _families(options, codec) if "numerical_distributions" in options else {}
    layout = Layout.fit(
        codec.parts,
        values,
        wide=wide,
        empirical=[number for number, family in families.items() if family == "empirical"],
    )
    if "numerical_distributions" in options:
        given = {layout.names[number]: family for number, family in families.items() if number in layout.scales}
        options |= {
            "default_distribution": "uniform",
            "numerical_distributions": given,
        }  # mid-ranks and codes are uniform
    if layout.quantiles:
        options["enforce_min_max_values"] = False  # mid-ranks may reach 0 and 1; the codec bounds the numbers
    if isinstance(params, Net):
        options["enable_gpu"] = job.device.startswith("cuda")
    synthesizer = None
    if layout.columns():
        with quiet_and_seeded(rng):
            synthesizer = _train(layout, layout.encode(values), name, options, job)
    return SdvModel(codec, layout, pickle.dumps(synthesizer))


def _families(options: dict[str, Any], codec: Codec) -> dict[str, str]:
    """The family of each number. Raises FitError for a column that is not modelled as a number."""
    numbers = [part.name for part in codec.parts if not part.is_code]
    for column in options["numerical_distributions"]:
        if column not in numbers:
            why = "is not modelled as a number" if column in codec.schema.names else "does not exist"
            known = f"{did_you_mean(column, numbers)} Numbers: {', '.join(numbers) or 'none'}"
            raise FitError(f"generator.params.numerical_distributions: column {column} {why}.{known}")
    return {
        number: options["numerical_distributions"].get(number, options["default_distribution"]) for number in numbers
    }


def _train(layout: Layout, frame: pd.DataFrame, name: str, options: dict[str, Any], job: Job) -> Any:
    """Fit a synthesizer. Call it inside `quiet_and_seeded`."""
    from sdv import single_table
    from sdv.metadata import Metadata

    columns = {
        column: {"sdtype": "numerical"} if codes is None else _sdtype(name, codes)
        for column, codes in layout.columns().items()
    }
    metadata = Metadata.load_from_dict({"tables": {TABLE: {"columns": columns}}, "relationships": []})
    synthesizer = getattr(single_table, name)(metadata, enforce_rounding=False, **options)
    label, epochs = f"train {name.removesuffix('Synthesizer')}", options.get("epochs", 1)
    job.going(label, 0, epochs)
    with contextlib.redirect_stdout(io.StringIO()):  # suppress advice on wide tables
        prepared = synthesizer.preprocess({TABLE: frame})
    if name == "GaussianCopulaSynthesizer":
        _uniform_codes(synthesizer, layout)
    try:
        with _epochs(synthesizer, label, job):
            synthesizer.fit_processed_data(prepared)
    except ValueError as error:
        if "NaN" not in str(error):
            raise
        raise _diverged() from None
    if layout.quantiles:
        _whole_range(synthesizer, [layout.names[number] for number in layout.quantiles], prepared[TABLE])
    _settle(synthesizer)
    if "epochs" not in options:
        job.going(label, 1, 1)
    return synthesizer


def _sdtype(name: str, codes: np.ndarray) -> dict[str, Any]:
    # the order of codes matters to a correlation, but not to a one-hot encoding
    if name == "GaussianCopulaSynthesizer":
        return {"sdtype": "ordinal", "range_values": [f"c{code}" for code in codes]}
    return {"sdtype": "categorical"}


def _uniform_codes(synthesizer: Any, layout: Layout) -> None:
    """Use uniform marginals for codes: sdv encodes them as uniform numbers, and another family would distort their
    frequencies.
    """
    from copulas.univariate import UniformUnivariate

    synthesizer._numerical_distributions.update(
        {column: UniformUnivariate for column, codes in layout.columns().items() if codes is not None}
    )


def _whole_range(synthesizer: Any, columns: Collection[str], prepared: pd.DataFrame) -> None:
    """Set the range of mid-ranks to 0 to 1: fitted to the observed range, its ends would be extreme outliers."""
    copula = synthesizer._model
    for name, univariate in zip(copula.columns, copula.univariates):
        if name in columns:
            univariate._params = {"loc": 0.0, "scale": 1.0}
    copula.correlation = copula._get_correlation(prepared[copula.columns])


def _nets(synthesizer: Any) -> list[Any]:
    model = getattr(synthesizer, "_model", None)
    found = (getattr(model, "_generator", None), getattr(model, "decoder", None))
    return [net for net in found if net is not None]


def _settle(synthesizer: Any) -> None:
    """Move a trained network to the CPU, for identical draws on all machines, and drop its running statistics.

    Sampling would change them, as ctgan samples in training mode with batch statistics. Raises FitError if training
    diverged.
    """
    for net in _nets(synthesizer):
        import torch

        synthesizer._model.set_device("cpu")
        for layer in net.modules():
            if isinstance(layer, torch.nn.BatchNorm1d):
                layer.track_running_stats = False
                layer.running_mean = layer.running_var = layer.num_batches_tracked = None
        if not all(bool(torch.isfinite(weights).all()) for weights in net.parameters()):
            raise _diverged()


def _diverged() -> FitError:
    return FitError(
        "training diverged: a weight of the network is not finite; remedy: a smaller learning rate, fewer epochs, or"
        " another method"
    )


@contextlib.contextmanager
def _epochs(synthesizer: Any, label: str, job: Job) -> Iterator[None]:
    """Replace tqdm in ctgan's training loops to report progress to the job and to stop at its limits."""
    import ctgan.synthesizers.ctgan
    import ctgan.synthesizers.tvae

    def count(epochs: range, **_: Any) -> Iterator[int]:
        for epoch in epochs:
            yield epoch
            if not job.going(label, epoch + 1, len(epochs), _losses(synthesizer)):
                return

    modules: list[ModuleType] = [ctgan.synthesizers.ctgan, ctgan.synthesizers.tvae]
    with contextlib.ExitStack() as stack:
        for module in modules:
            stack.enter_context(_replaced(module, "tqdm", count))
        yield


@contextlib.contextmanager
def _replaced(module: ModuleType, name: str, value: Callable[..., Any]) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def _losses(synthesizer: Any) -> str:
    last = synthesizer._model.loss_values.iloc[-1]
    return ", ".join(f"{name.lower()} {last[name]:.3f}" for name in last.index if name.endswith("Loss"))


@contextlib.contextmanager
def quiet_and_seeded(rng: np.random.Generator) -> Iterator[None]:
    """Seed the global random states that sdv uses from `rng`, use one thread so that sums round alike everywhere, and
    silence output; restore everything on exit.
    """
    import joblib
    import torch
    from threadpoolctl import threadpool_limits

    with _global_state, contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(_quiet_loggers())
        stack.enter_context(torch.random.fork_rng(devices=range(torch.cuda.device_count())))
        stack.callback(np.random.set_state, np.random.get_state())
        stack.callback(random.setstate, random.getstate())
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        stack.enter_context(threadpool_limits(1))
        stack.enter_context(joblib.parallel_config(backend="sequential"))
        torch.set_num_threads(1)
        seed = seeds.fork(rng)
        np.random.seed(seed)
        torch.manual_seed(seed)
        random.seed(seed)
        yield


@contextlib.contextmanager
def _quiet_loggers() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in before:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
