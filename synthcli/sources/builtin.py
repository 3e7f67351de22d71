"""Real tables from installed packages, with readable names, and with booleans and categories instead of codes.

rand_health     RAND Health Insurance Experiment, one row a person and year. From the file of the original study that
                statsmodels keeps beside its own extract (randhie/src): rows in the same order, with the person
                identifier (zper, 5,912 people of one to five years), which the extract leaves out.
affairs         Fair's survey of marriages (statsmodels fair), its codes written out. Age, years married and number of
                children are the midpoints of intervals, as published.
breast_cancer   Cell nuclei of breast masses (scikit-learn), diagnosis as a word.
diabetes        Disease progression after a year (scikit-learn, unscaled), serum measurements under their names.
wine, iris      The classics (scikit-learn), classes as words.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from synthcli.errors import DataError, SpecError, did_you_mean

if TYPE_CHECKING:
    from synthcli.sources.source import Source

TEXT = False
UNITS = {"rand_health": "subject"}  # privacy units; in the other tables each row is its own unit
TARGETS = {
    "rand_health": "doctor_visits",
    "affairs": "affairs",
    "breast_cancer": "diagnosis",
    "diabetes": "progression",
    "wine": "cultivar",
    "iris": "species",
}

_RAND = {  # our name: (name in the study, description)
    "subject": ("zper", "person identifier of the study"),
    "year": ("year", "year of the person in the study, 1 to 5"),
    "age": ("xage", "age in that year"),
    "sex": ("female", "female or male"),
    "family_size": ("num", "people in the family"),
    "family_income": ("income", "annual family income in dollars, as the study reports it"),
    "education_years": ("educdec", "schooling of the head of the household in years; fractions are imputed"),
    "coinsurance": ("coins", "percent of the bill that the family pays"),
    "individual_deductible": ("idp", "the plan has a deductible for each person"),
    "incentive_payment": ("pioff", "annual payment for taking part, in dollars"),
    "max_expenditure": ("mdeoff", "offered limit of the family's own annual spending, in dollars"),
    "physical_limitation": (
        "physlm",
        "has a physical limitation at the start; null where the study imputed a fraction",
    ),
    "chronic_diseases": ("disea", "index of chronic diseases at the start"),
    "self_rated_health": ("hlthg, hlthf, hlthp", "excellent, good, fair or poor, by the person at the start"),
    "doctor_visits": ("mdvis", "outpatient visits to a physician in the year"),
    "hospital_stays": ("totadm", "hospital admissions in the year"),
    "medical_spending": ("meddol", "medical expenses of the year in dollars, without outpatient psychotherapy"),
}
_WORK = {
    1: "student",
    2: "farming or unskilled",
    3: "white-collar",
    4: "skilled or teaching",
    5: "managerial",
    6: "professional",
}
_AFFAIRS: dict[str, tuple[str, dict[int, str] | None, str]] = {  # our name: (their name, labels of codes, description)
    "marriage_rating": (
        "rate_marriage",
        {1: "very poor", 2: "poor", 3: "fair", 4: "good", 5: "very good"},
        "how she rates her marriage",
    ),
    "age": ("age", None, "midpoint of the age group"),
    "years_married": ("yrs_married", None, "midpoint of the interval"),
    "children": ("children", None, "number of children; 5.5 stands for five or more"),
    "religiousness": ("religious", {1: "not", 2: "mildly", 3: "fairly", 4: "strongly"}, "how religious"),
    "education": (
        "educ",
        {
            9: "grade school",
            12: "high school",
            14: "some college",
            16: "college graduate",
            17: "some graduate school",
            20: "advanced degree",
        },
        "highest level",
    ),
    "occupation": ("occupation", _WORK, "her occupation"),
    "husband_occupation": ("occupation_husb", _WORK, "his occupation"),
    "affairs": ("affairs", None, "time spent in extramarital affairs, a measure"),
}
_DIABETES = {
    "age": ("age", "years"),
    "sex": ("sex", "1 or 2; the source does not say which is which"),
    "bmi": ("bmi", "body mass index"),
    "blood_pressure": ("bp", "average blood pressure"),
    "total_cholesterol": ("s1", "total serum cholesterol"),
    "ldl": ("s2", "low-density lipoproteins"),
    "hdl": ("s3", "high-density lipoproteins"),
    "cholesterol_ratio": ("s4", "total cholesterol / HDL"),
    "log_triglycerides": ("s5", "possibly the log of the serum triglycerides level"),
    "glucose": ("s6", "blood sugar level"),
    "progression": ("target", "disease progression one year after baseline"),
}
_ABOUT = {  # title, rows, origin, licence
    "rand_health": (
        "RAND Health Insurance Experiment, person-years",
        20_190,
        "RAND Corporation, 1974-1982, in statsmodels randhie",
        "public domain",
    ),
    "affairs": (
        "Survey of marriages and affairs",
        6_366,
        "Fair 1978, J. Political Economy, in statsmodels fair",
        "by permission of the author",
    ),
    "breast_cancer": (
        "Breast cancer Wisconsin (diagnostic)",
        569,
        "Wolberg et al. 1995, UCI, in scikit-learn",
        "CC BY 4.0",
    ),
    "diabetes": (
        "Diabetes progression",
        442,
        "Efron et al. 2004, Annals of Statistics 32, in scikit-learn",
        "not stated",
    ),
    "wine": ("Wine recognition", 178, "Forina et al. 1988, UCI, in scikit-learn", "CC BY 4.0"),
    "iris": ("Iris flowers", 150, "Fisher 1936, in scikit-learn", "CC BY 4.0"),
}


def batches(source: Source) -> Iterator[pa.Table]:
    """Read the built-in table of the source, with types."""
    yield _table(_known(source.name))


def columns(source: Source) -> list[str]:
    """Its column names."""
    return list(_table(_known(source.name)).column_names)


def fingerprint(source: Source) -> bytes:
    """BLAKE2b of the table as an Arrow stream."""
    table = _table(_known(source.name))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return hashlib.blake2b(sink.getvalue()).digest()


def names() -> list[str]:
    """The names of the built-in tables."""
    return list(_ABOUT)


def describe(name: str) -> dict[str, Any]:
    """title, rows, origin, licence, unit (None: the row), target, and columns: name -> description."""
    title, rows, origin, licence = _ABOUT[_known(name)]
    about = {
        "title": title,
        "rows": rows,
        "origin": origin,
        "licence": licence,
        "unit": UNITS.get(name),
        "target": TARGETS[name],
    }
    return about | {"columns": _documented(name)}


def _documented(name: str) -> dict[str, str]:
    if name == "rand_health":
        return {column: what for column, (_, what) in _RAND.items()}
    if name == "affairs":
        return {column: what for column, (_, _, what) in _AFFAIRS.items()}
    if name == "diabetes":
        return {column: what for column, (_, what) in _DIABETES.items()}
    words = {
        "diagnosis": "malignant or benign",
        "cultivar": "which of three growers' grapes",
        "species": "setosa, versicolor or virginica",
    }
    return {column: words.get(column, column.replace("_", " ")) for column in _table(name).column_names}


def _known(name: str | None) -> str:
    if name is None:
        raise SpecError(f"source.name is missing; expected one of {', '.join(_ABOUT)}")
    if name not in _ABOUT:
        raise SpecError(f"source.name is {name}; expected one of {', '.join(_ABOUT)}.{did_you_mean(name, _ABOUT)}")
    return name


@cache
def _table(name: str) -> pa.Table:
    make: dict[str, Callable[[], pa.Table]] = {
        "rand_health": _rand_health,
        "affairs": _affairs,
        "diabetes": _diabetes,
        "breast_cancer": lambda: _classes("breast_cancer", "diagnosis"),
        "wine": lambda: _classes("wine", "cultivar"),
        "iris": lambda: _classes("iris", "species"),
    }
    return make[name]().combine_chunks()


def _rand_health() -> pa.Table:
    spec = importlib.util.find_spec("statsmodels")
    path = (
        Path(str(spec.origin)).parent / "datasets" / "randhie" / "src" / "randhie.csv" if spec else Path("statsmodels")
    )
    if not path.is_file():
        raise DataError(
            f"{path} is missing; remedy: pip install --force-reinstall statsmodels, which carries rand_health"
        )
    raw = pyarrow.csv.read_csv(path).to_pandas()
    frame = pd.DataFrame({ours: raw[theirs] for ours, (theirs, _) in _RAND.items() if theirs in raw})
    frame["sex"] = frame["sex"].map({0: "male", 1: "female"})
    frame["individual_deductible"] = frame["individual_deductible"] == 1
    frame["physical_limitation"] = frame["physical_limitation"].map({0.0: False, 1.0: True}).astype("boolean")
    health = pd.Series("excellent", index=raw.index, dtype=object)
    for code, word in {"hlthg": "good", "hlthf": "fair", "hlthp": "poor"}.items():
        health[raw[code] == 1] = word
    frame["self_rated_health"] = health
    return _arrow(frame[list(_RAND)])


def _affairs() -> pa.Table:
    from statsmodels.datasets import fair

    raw = fair.load_pandas().data
    return _arrow(
        pd.DataFrame(
            {ours: raw[theirs].map(words) if words else raw[theirs] for ours, (theirs, words, _) in _AFFAIRS.items()}
        )
    )


def _diabetes() -> pa.Table:
    from sklearn.datasets import load_diabetes

    raw = load_diabetes(as_frame=True, scaled=False).frame
    frame = pd.DataFrame({ours: raw[theirs] for ours, (theirs, _) in _DIABETES.items()})
    whole = frame.astype({"age": "int64", "sex": "int64", "glucose": "int64", "progression": "int64"})
    return _arrow(whole.assign(sex=whole["sex"].astype(str)))  # a code, not a quantity


def _classes(name: str, target: str) -> pa.Table:
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, f"load_{name}")(as_frame=True)
    frame = bunch.frame.rename(columns=lambda c: c.replace(" (cm)", "_cm").replace("/", "_").replace(" ", "_"))
    return _arrow(
        frame.assign(target=[str(bunch.target_names[i]) for i in bunch.target]).rename(columns={"target": target})
    )


def _arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
