"""The language and the lengths of free text."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.discovery import free_text
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.schema import Traits

NOTES = {
    "en_US": "The patient was seen in the morning and has no further complaints since the visit",
    "de_DE": "Der Patient wurde am Morgen untersucht und hat seit dem Besuch keine weiteren Beschwerden",
    "fr_FR": "Le patient est venu dans la matinée et ne se plaint plus de rien depuis la visite",
    "es_ES": "El paciente llegó por la mañana y no se queja de nada más desde la visita",
    "it_IT": "Il paziente è venuto al mattino e non ha altri disturbi dopo la visita della settimana",
    "pt_BR": "O paciente chegou de manhã e não tem mais queixas desde a visita com o médico",
    "nl_NL": "De patiënt kwam in de ochtend en heeft sinds het bezoek geen klachten meer",
    "sv_SE": "Patienten kom på morgonen och har inte några fler besvär efter besöket som var kort",
    "da_DK": "Patienten blev undersøgt og er ikke længere syg efter besøget, som var meget kort",
    "fi_FI": "Potilas tuli aamulla ja hän on ollut hyvin käynnin jälkeen, mutta ei ole vielä kotona",
    "pl_PL": "Pacjent był rano na wizycie i nie ma już żadnych dolegliwości od tego czasu",
    "cs_CZ": "Pacient byl ráno na vyšetření a od té doby se již necítí špatně, ale je to lepší",
    "tr_TR": "Hasta sabah geldi ve bu ziyaret için çok memnun oldu ama daha sonra bir şey yok",
    "ru_RU": "Пациент был на приёме утром и с тех пор не жалуется на здоровье",
    "uk_UA": "Пацієнт був на прийомі вранці і з того часу не скаржиться на здоров'я",
    "el_GR": "Ο ασθενής ήρθε το πρωί και δεν έχει άλλα παράπονα",
    "ja_JP": "患者は朝に来院し、その後は特に問題ありません",
    "zh_CN": "患者早上来就诊，之后没有其他不适",
    "ko_KR": "환자는 아침에 방문했고 그 후로 불편이 없습니다",
    "ar_AA": "وصل المريض في الصباح ولا يشكو من أي شيء بعد هذه الزيارة إلى الطبيب",
}


@pytest.mark.parametrize("locale", NOTES)
def test_the_language_is_told(locale):
    assert free_text.locale(pd.Series([NOTES[locale]] * 20)) == locale


@pytest.mark.parametrize("words", ["BP 120/80 HR 64", "xqz wqx prq", "", "M54.5 J45"])
def test_notes_without_a_language_have_none(words):
    assert free_text.locale(pd.Series([words] * 20)) is None


def test_lengths_are_means_of_tenths():
    lengths = np.arange(1, 1001)
    found = free_text.lengths(pd.Series(["x" * n for n in lengths]))
    assert found == (50, 150, 250, 350, 450, 550, 650, 750, 850, 950)  # 50.5 rounds to even
    assert free_text.lengths(pd.Series(["a"] * 49)) is None


def source(rows=200):
    rng = np.random.default_rng(2)
    words = NOTES["de_DE"].split()
    return [" ".join(rng.permutation(words)[: rng.integers(6, 13)]) + f" {i}" for i in range(rows)]


def test_a_column_of_text_follows_its_source_unless_the_spec_says_otherwise():
    table = pa.table({"note": source()})
    column = infer(table, {})[0]["note"]
    assert column.kind == "text" and column.get("locale") == "de_DE"
    assert 30 < column.get("length")[0] < column.get("length")[-1] < 100
    declared = infer(table, {"note": Traits(type="text", locale="fr_FR", length=(5, 9))})[0]["note"]
    assert declared.get("locale") == "fr_FR" and declared.get("length") == (5, 9)
