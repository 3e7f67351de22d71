"""Real tables that installed packages carry, and what their columns hold, labelled by hand from their documentation.

A label says that a column holds something of a person, whose row it is; a column that is not named, and every column of
a table whose rows are places, moments, things or sums over people, holds nothing. `kind/kind` is right either way.
"""

from __future__ import annotations

import gzip
import importlib
import importlib.util
import pkgutil
from pathlib import Path

import pandas as pd

from synthcli import sources
from synthcli.sources import builtin

LOOKED_AT = {  # the rules were made while looking at these
    "rand_health": "age:age sex:sex education:education_years income:family_income "
    "health:chronic_diseases,self_rated_health,doctor_visits,"
    "hospital_stays,medical_spending,physical_limitation",
    "affairs": "age:age education:education job:occupation,husband_occupation religion:religiousness "
    "sexual_orientation:affairs",
    "breast_cancer": "health:diagnosis",
    "diabetes": "age:age sex:sex "
    "health:bmi,blood_pressure,total_cholesterol,ldl,hdl,cholesterol_ratio,log_triglycerides,glucose,progression",
    "anes96": "age:age income:income education:educ politics:vote,PID,selfLR,ClinLR,DoleLR",
    "ccard": "age:AGE income:INCOME,INCOMESQ",
    "engel": "income:income",
    "fair": "age:age education:educ job:occupation,occupation_husb religion:religious sexual_orientation:affairs",
    "heart": "age:age",
    "randhie": "health:physlm,disea,mdvis,hlthg,hlthf,hlthp",
    "modechoice": "income:hinc",
}
# Labelled from the names of the columns and the documentation before the rules were first tried on them. Then every
# other one of them, in the order of their names, was looked at to mend the rules; of the rest nothing but the counts
# has been seen. {name: (file, labels)}
HELD_OUT = {
    "birth weight": (
        "statsmodels/genmod/tests/results/stata_lbw_glm.csv",
        "age:age ethnicity:race health:smoke,low,lwt,ptl,ht,ui,ftv,bwt",
    ),
    "epilepsy": ("statsmodels/genmod/tests/results/epil.csv", "age:age,lage health:y,trt,base,lbase"),
    "cancer drug": ("statsmodels/genmod/tests/results/stata_cancer_glm.csv", "age:age health:drug"),
    "hospital stays": ("statsmodels/genmod/tests/results/stata_medpar1_glm.csv", "health:los,admitype"),
    "bone marrow": ("statsmodels/duration/tests/results/bmt.csv", "health:Group"),
    "food": ("statsmodels/othermod/tests/results/foodexpenditure.csv", "income:income"),
    "methylation": (
        "statsmodels/othermod/tests/results/methylation-test.csv",
        "sex:gender age:age genetic:methylation",
    ),
    "griliches": (
        "statsmodels/sandbox/regression/tests/griliches76.dta",
        "education:med,s,s80 age:age,age80 income:lw,lw80 marital_status:mrt,mrt80",
    ),
    "insurance": (
        "statsmodels/sandbox/regression/tests/racd10data_with_transformed.csv",
        "age:age,age2,aget,aget2 education:educyr sex:female income:income,linc,incomet "
        "health:phylim,actlim,totchr,docvis,ldocvis,"
        "ldocvisa,docbin,physician,nonphysician ethnicity:bh",
    ),
    "framing": (
        "statsmodels/stats/tests/results/framing.csv",
        "age:age education:educ sex:gender income:income politics:immigr,cong_mesg",
    ),
    "births": (
        "statsmodels/treatment/tests/results/cataneo2.csv",
        "marital_status:mmarried,mmarried_ ethnicity:mhisp,fhisp,mrace,frace nationality:foreign "
        "age:mage,fage,mage2 education:medu,fedu "
        "health:bweight,alcohol,deadkids,nprenatal,msmoke,mbsmoke,mbsmoke_,prenatal,prenatal1,prenatal1_,lbweight",
    ),
    "constriction": ("statsmodels/stats/tests/results/binary_constrict.csv", "health:diagnosis,constrict"),
    "applicants": ("statsmodels/miscmodels/tests/results/ologit_ucla.csv", "education:pared"),
    "programs": ("statsmodels/multivariate/tests/results/mvreg.csv", ""),
    "tips": ("plotly/package_data/datasets/tips.csv.gz", "sex:sex health:smoker"),
    "experiment": ("plotly/package_data/datasets/experiment.csv.gz", "sex:gender"),
    "placements": (
        "sdmetrics/demos/single_table/student_placements_real.csv",
        "sex:gender education:degree_type income:salary",
    ),
    "users": ("sdmetrics/demos/multi_table/users_real.csv", "country:country sex:gender age:age"),
    "sessions": ("sdmetrics/demos/multi_table/sessions_real.csv", ""),
    "physiology": ("sklearn/datasets/data/linnerud_physiological.csv", "health:Weight,Waist,Pulse"),
    "exercise": ("sklearn/datasets/data/linnerud_exercise.csv", ""),
    "adult": (
        "sklearn/datasets/tests/data/openml/id_1590",
        "age:age job:workclass,occupation education:education,education-num "
        "marital_status:marital-status ethnicity:race sex:sex country/nationality:native-country income:class",
    ),
    "titanic": ("sklearn/datasets/tests/data/openml/id_40945", "name:name sex:sex age:age city/address:home.dest"),
    "lymphoma": ("libpysal/examples/burkitt/burkitt.dbf", "age:AGE"),
    **{
        name: (file, "")
        for name, file in {  # whose rows are no people
            "penguins": "sklearn/datasets/tests/data/openml/id_42585",
            "zoo": "sklearn/datasets/tests/data/openml/id_62",
            "mice": "sklearn/datasets/tests/data/openml/id_40966",
            "cpu": "sklearn/datasets/tests/data/openml/id_561",
            "pigs": "statsmodels/regression/tests/results/dietox.csv",
            "ships": "statsmodels/discrete/tests/results/ships.csv",
            "autos": "statsmodels/gam/tests/results/autos.csv",
            "pastes": "statsmodels/regression/tests/results/pastes.csv",
            "hours": "statsmodels/tsa/statespace/tests/results/manufac.dta",
            "investment": "statsmodels/tsa/tests/results/lutkepohl2.dta",
            "carshare": "plotly/package_data/datasets/carshare.csv.gz",
            "election": "plotly/package_data/datasets/election.csv.gz",
            "gapminder": "plotly/package_data/datasets/gapminder.csv.gz",
            "stocks": "plotly/package_data/datasets/stocks.csv.gz",
            "medals": "plotly/package_data/datasets/medals.csv.gz",
            "wind": "plotly/package_data/datasets/wind.csv.gz",
            "stores": "sdmetrics/demos/timeseries/timeseries_real.csv",
            "transactions": "sdmetrics/demos/multi_table/transactions_real.csv",
            "ohio": "libpysal/examples/arcgis/arcgis_ohio.dbf",
            "houses": "libpysal/examples/baltim/baltim.dbf",
            "employment": "libpysal/examples/calemp/calempdensity.csv",
            "chicago": "libpysal/examples/chicago/Chicago77.dbf",
            "columbus": "libpysal/examples/columbus/columbus.dbf",
            "georgia": "libpysal/examples/georgia/GData_utm.csv",
            "mexico": "libpysal/examples/mexico/mexico.csv",
            "infant deaths": "libpysal/examples/sids2/sids2.dbf",
            "homicides": "libpysal/examples/stl/stl_hom.csv",
            "tokyo": "libpysal/examples/tokyo/Tokyomortality.csv",
            "us income": "libpysal/examples/us_income/usjoin.csv",
            "virginia": "libpysal/examples/virginia/virginia.dbf",
            "albuquerque": "libpysal/examples/10740/10740.dbf",
        }.items()
    },
}


Labelled = tuple[
    pd.DataFrame, dict[str, set[str]]
]  # a table, and for each column that holds something the kinds that are right


def labels(text: str) -> dict[str, set[str]]:
    """Column -> the kinds that are right for it."""
    parts = (part.partition(":") for part in text.split())
    return {column: set(kinds.split("/")) for kinds, _, listed in parts for column in listed.split(",")}


def looked_at() -> dict[str, Labelled]:
    """The built-in tables and those of statsmodels."""
    from statsmodels import datasets

    tables = {name: sources.read(sources.Source("builtin", name=name)).to_pandas() for name in builtin.names()}
    for module in pkgutil.iter_modules(datasets.__path__):
        if module.ispkg and module.name != "tests":
            frame = importlib.import_module(f"statsmodels.datasets.{module.name}").load_pandas().data
            tables[module.name] = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
    return {name: (frame, labels(LOOKED_AT.get(name, ""))) for name, frame in tables.items()}


def looked_at_later() -> dict[str, Labelled]:
    """The half of HELD_OUT that the rules were mended on."""
    return _installed(sorted(HELD_OUT)[::2])


def held_out() -> dict[str, Labelled]:
    """The half of HELD_OUT of which nothing but the counts has been seen."""
    return _installed(sorted(HELD_OUT)[1::2])


def _installed(names: list[str]) -> dict[str, Labelled]:
    found = {}
    for name in names:
        file, text = HELD_OUT[name]
        package, _, inside = file.partition("/")
        spec = importlib.util.find_spec(package)
        if (
            spec is not None
            and spec.submodule_search_locations
            and (path := Path(spec.submodule_search_locations[0]) / inside).exists()
        ):
            found[name] = (_read(path), labels(text))
    return found


def _read(path: Path) -> pd.DataFrame:
    if path.suffix == ".dta":
        return pd.read_stata(path, convert_categoricals=False)
    if path.suffix == ".dbf":
        import pyogrio

        return pyogrio.read_dataframe(path, read_geometry=False)
    if path.is_dir():
        from sklearn.externals import _arff

        (file,) = path.glob("data-v1-dl-*.arff.gz")
        with gzip.open(file, "rt") as lines:
            body = _arff.load(lines)
        return pd.DataFrame(body["data"], columns=[name for name, _ in body["attributes"]])
    separator = r"\s+" if path.stem.startswith("linnerud") else ","
    return pd.read_csv(path, sep=separator, index_col=False).loc[:, lambda t: ~t.columns.str.startswith("Unnamed")]
