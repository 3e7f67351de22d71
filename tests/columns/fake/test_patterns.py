import itertools
import re

import numpy as np
import pytest

from synthcli.columns.fake import pattern_nodes
from synthcli.columns.fake.patterns import Pattern
from synthcli.errors import SpecError

SMALL = [
    "[ab]{0,2}c",
    "a|bc|[de]f",
    "(x|y){2}-?",
    "(?:ab)+",
    r"\d",
    r"[^\w\s]",
    "(a|b|)c{1,2}",
    "^a[bc]$",
    r"\.\\\[",
    "[]a]",
    "[a-]",
    "(?P<n>ab?)c",
    "a{,2}b*?",
]


@pytest.mark.parametrize("text", SMALL)
def test_numbers_give_every_string_of_the_language_once(text):
    pattern = Pattern.parse(text)
    made = list(pattern.nth(np.arange(pattern.size)))
    assert all(re.fullmatch(text, s) for s in made)
    assert len(set(made)) == pattern.size
    alphabet = sorted(set("".join(made)))
    if len(alphabet) <= 5 and max(map(len, made)) <= 4:  # brute force over all strings that the alphabet can spell
        words = ("".join(w) for n in range(max(map(len, made)) + 1) for w in itertools.product(alphabet, repeat=n))
        assert {w for w in words if re.fullmatch(text, w)} == set(made)


def test_size_is_exact_beyond_a_machine_word():
    assert Pattern.parse("[0-9a-f]{32}").size == 16**32
    assert Pattern.parse("[A-Z]{2}-\\d{6}").size == 26**2 * 10**6
    assert Pattern.parse("a+").size == 9
    assert Pattern.parse("a{2,}").size == 9


def test_large_numbers_are_the_digits_of_the_string():
    pattern = Pattern.parse("[0-9a-f]{32}")
    numbers = [0, 1, 16**32 - 1, 0x0123456789ABCDEF0123456789ABCDEF, 2**62, 2**63, 2**64]
    assert list(pattern.nth(numbers)) == [f"{n:032x}" for n in numbers]
    mixed = Pattern.parse(r"k|[0-9a-f]{20}")
    assert list(mixed.nth([0, 1, 16**20])) == ["k", "0" * 20, "f" * 20]


def test_out_of_range_is_an_error():
    with pytest.raises(IndexError, match="10 strings"):
        Pattern.parse(r"\d").nth(np.array([10]))


@pytest.mark.parametrize(
    "text",
    [
        *SMALL,
        r"[A-Z]{2}-\d{6}",
        r"\w+\s\W*",
        r"(\+49|0)[1-9]\d{2,4}/\d+",
        r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}",
        ".",
    ],
)
def test_samples_match_the_expression(text):
    made = Pattern.parse(text).sample(200, rng=np.random.default_rng(1))
    assert len(made) == 200 and all(re.fullmatch(text, s) for s in made)


def test_sampling_spreads_over_lengths():
    lengths = [len(s) for s in Pattern.parse("[a-z]{1,4}").sample(4000, rng=np.random.default_rng(0))]
    assert np.allclose(np.bincount(lengths)[1:] / 4000, 0.25, atol=0.03)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a?a?", True),
        ("a|a", True),
        (r"\d+\d+", True),
        ("(a?)?", True),
        ("(a|b?){2}", True),
        ("(a|ab)(c|bc)", True),
        ("(a|b)*x", False),
        ("[a-z]{1,8}@[a-z]{2,3}", False),
        (r"\d{64}", False),
        (r"[1-9]\d{0,5}", False),
        ("ab|ac", False),
    ],
)
def test_ambiguity(text, expected):
    assert Pattern.parse(text).ambiguous is expected


@pytest.mark.parametrize("text", ["[ab]{1,3}", "a?b?a?", "(a|ab)(b|c)?", "(aa|a){0,3}", "(a|b)?c?", "a{2}b*"])
def test_ambiguity_agrees_with_counting(text):
    pattern = Pattern.parse(text)
    assert pattern.ambiguous is (len(set(pattern.nth(np.arange(pattern.size)))) < pattern.size)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a(?=b)", 1),
        (r"(a)\1", 3),
        (r"a\bc", 1),
        ("a^b", 1),
        ("a$b", 1),
        ("(?i)a", 0),
        ("xy(?<!b)", 2),
        (r"[\b]", 1),
        ("[^ -~]", 0),
    ],
)
def test_what_is_not_supported_names_its_position(text, position):
    with pytest.raises(SpecError, match=f"position {position} "):
        Pattern.parse(text)


@pytest.mark.parametrize("text", ["[a", "(a", "a)", "*", "[z-a]", "a{3,1}", "\\"])
def test_broken_expressions(text):
    with pytest.raises(SpecError, match="not a regular expression"):
        Pattern.parse(text)


def test_explosions_are_refused():
    with pytest.raises(SpecError, match="more than"):
        Pattern.parse("((a+)+)+")
    with pytest.raises(SpecError, match="more than"):
        Pattern.parse("a{100000}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("(a+)+$", True), ("(a+)+b", True), ("(.*)*", True), ("([a-c]+;)+", False), ("a{1,40}b{1,40}", False)],
)
def test_ambiguous_repetitions_are_found_in_few_steps(text, expected, monkeypatch):
    monkeypatch.setattr(pattern_nodes, "STEPS", 150_000)
    assert Pattern(text, Pattern.parse(text).root).ambiguous is expected  # a new one, as parse keeps its answers


def test_a_search_for_ambiguity_that_explodes_is_refused(monkeypatch):
    monkeypatch.setattr(pattern_nodes, "STEPS", 500)
    with pytest.raises(SpecError, match="unique: false"):
        bool(Pattern("([a-c]+;)+", Pattern.parse("([a-c]+;)+").root).ambiguous)


@pytest.mark.parametrize("depth", [280, 2000])
def test_deep_nesting_is_no_traceback(depth):
    with pytest.raises(SpecError, match=r"nested|recursion"):
        Pattern.parse("(" * depth + "a" + ")" * depth)
