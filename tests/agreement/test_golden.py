"""Published cases hold to the digits they were printed with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelkit.agreement.cohen_kappa import cohen_kappa
from labelkit.agreement.fleiss_kappa import fleiss_kappa
from labelkit.agreement.gwet import gwet_ac
from labelkit.agreement.kendall_tau_b import kendall_tau_b
from labelkit.agreement.kendall_w import kendall_w
from labelkit.agreement.krippendorff_alpha import krippendorff_alpha
from labelkit.agreement.pairwise import agreeing

CASES = {c["name"]: c for c in json.loads(Path(__file__).with_name("golden.json").read_text())}


def counts(units: Sequence[Sequence[Any]], values: Sequence[int]) -> Any:
    return np.array([[sum(x == v for x in unit) for v in values] for unit in units])


def test_every_case_says_where_it_comes_from() -> None:
    assert len(CASES) == 14
    assert all(case["source"] for case in CASES.values())


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_with_missing_data(metric: Any) -> None:
    case = CASES["krippendorff_2011_c"]
    table = counts(list(zip(*case["input"]["raters_x_units"], strict=True)), [1, 2, 3, 4, 5])
    found = krippendorff_alpha(table, metric, values=[1, 2, 3, 4, 5])
    assert found == pytest.approx(case["expected"][f"alpha_{metric}"], abs=0.0005)


def test_alpha_of_two_observers() -> None:
    case = CASES["krippendorff_2011_a"]
    table = counts(list(zip(*case["input"]["raters_x_units"], strict=True)), [0, 1])
    assert krippendorff_alpha(table) == pytest.approx(0.095, abs=0.0005)


def test_cohen() -> None:
    case = CASES["cohen_1960"]
    table = np.array(case["input"]["table"])
    assert cohen_kappa(table) == pytest.approx(0.492, abs=0.0005)
    weights = np.array(case["input"]["disagreement"])
    assert cohen_kappa(table, weights) == pytest.approx(0.348, abs=0.0005)


def test_the_kappa_paradox() -> None:
    case = CASES["feinstein_cicchetti_1990"]
    (a, b), (c, d) = case["input"]["table"]
    assert cohen_kappa(np.array([[a, b], [c, d]])) == pytest.approx(0.6995, abs=0.00005)
    units = np.repeat([[2, 0], [1, 1], [0, 2]], [a, b + c, d], axis=0)
    assert gwet_ac(units) == pytest.approx(0.7007, abs=0.00005)


def test_fleiss() -> None:
    table = np.array(CASES["fleiss_1971"]["input"]["counts"])
    assert fleiss_kappa(table) == pytest.approx(0.430, abs=0.0005)


def test_gwet_and_alpha_on_the_same_raters() -> None:
    case = CASES["gwet_2014"]
    table = counts(case["input"]["units_x_raters"], [1, 2, 3, 4, 5])
    wanted = case["expected"]
    assert gwet_ac(table) == pytest.approx(wanted["ac1"], abs=0.000005)
    assert gwet_ac(table, "linear") == pytest.approx(wanted["ac2_linear"], abs=0.000005)
    assert gwet_ac(table, "quadratic") == pytest.approx(wanted["ac2_quadratic"], abs=0.000005)
    assert krippendorff_alpha(table) == pytest.approx(wanted["alpha_nominal"], abs=0.000005)
    found = krippendorff_alpha(table, "interval")
    assert found == pytest.approx(wanted["alpha_interval"], abs=0.000005)


def test_kendall() -> None:
    ranks = np.array(CASES["siegel_1956"]["input"]["ranks"])
    assert kendall_w(ranks) == pytest.approx(0.828, abs=0.0005)
    case = CASES["kendall_1970"]["input"]
    assert kendall_tau_b(case["x"], case["y"]) == pytest.approx(0.859, abs=0.0005)


@pytest.mark.parametrize("rule", ["category", "drop", "half"])
def test_the_three_tie_rules(rule: str) -> None:
    case = CASES["tie_rules"]
    ranks = np.array([case["input"]["labeler1_ranks"], case["input"]["labeler2_ranks"]])
    i, j = np.triu_indices(ranks.shape[1], 1)
    table = counts(np.sign(ranks[:, j] - ranks[:, i]).T, [-1, 0, 1])
    agree, n = agreeing(table)[rule]
    assert [agree.sum(), n.sum()] == case["expected"][rule]
    assert kendall_tau_b(*ranks) == pytest.approx(case["expected"]["tau_b"], abs=0.0000005)
