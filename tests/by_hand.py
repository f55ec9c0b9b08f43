"""The statistics once more, from their definitions, slowly: what the fast ones are held against.

Answers are {unit: {labeler: value}}; rankings {labeler: [place of item 0, place of item 1, ...]}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, permutations
from math import sqrt

Answers = Mapping[object, Mapping[object, int]]


def pairable(answers: Answers) -> list[list[int]]:
    return [list(said.values()) for said in answers.values() if len(said) > 1]


def alpha(answers: Answers, delta: Callable[[int, int], float]) -> float | None:
    """Every pairable value against every other in its unit, and against every other anywhere."""
    units = pairable(answers)
    everything = [v for unit in units for v in unit]
    n = len(everything)
    observed = sum(
        delta(a, b) / (len(unit) - 1) for unit in units for a, b in permutations(unit, 2)
    )
    expected = sum(delta(a, b) for a, b in permutations(everything, 2)) / (n - 1) if n > 1 else 0
    return 1 - observed / expected if expected else None


def nominal(a: int, b: int) -> float:
    return float(a != b)


def interval(a: int, b: int) -> float:
    return float(a - b) ** 2


def ordinal(answers: Answers) -> Callable[[int, int], float]:
    """Krippendorff's ordinal difference: how many values lie between, ends counted half."""
    everything = [v for unit in pairable(answers) for v in unit]

    def delta(a: int, b: int) -> float:
        low, high = min(a, b), max(a, b)
        between = sum(low <= v <= high for v in everything)
        return float(between - (everything.count(a) + everything.count(b)) / 2) ** 2

    return delta


def alpha_on_pairs(answers: Answers, delta: Callable[[int, int], float]) -> float | None:
    """Alpha where the sign of an answer is arbitrary: the expected part comes of the data doubled
    by turning it round, still over the n (n - 1) of the plain data."""
    units = pairable(answers)
    plain = [v for unit in units for v in unit]
    doubled = [v for unit in units for v in unit] + [-v for unit in units for v in unit]
    observed = sum(
        delta(a, b) / (len(unit) - 1) for unit in units for a, b in permutations(unit, 2)
    )
    expected = sum(delta(a, b) for a in doubled for b in doubled) / 4
    return 1 - observed * (len(plain) - 1) / expected if expected else None


def both_ways(answers: Answers) -> dict[object, dict[object, int]]:
    """Each unit once as it stands and once turned round."""
    turned = {("turned", u): {w: -v for w, v in said.items()} for u, said in answers.items()}
    return {**{("as is", u): dict(said) for u, said in answers.items()}, **turned}


def cohen(pairs: Sequence[tuple[int, int]], bad: Callable[[int, int], float]) -> float | None:
    n = len(pairs)
    observed = sum(bad(a, b) for a, b in pairs) / n
    expected = sum(bad(a, b) for a, _ in pairs for _, b in pairs) / n**2
    return 1 - observed / expected if expected else None


def gwet(answers: Answers, values: Sequence[int], good: Callable[[int, int], float]) -> float:
    """Gwet (2014), chapter 5: agreement over units with two raters, chance over all."""
    rated = [list(said.values()) for said in answers.values() if said]
    units = [unit for unit in rated if len(unit) > 1]
    pa = sum(
        sum(good(a, b) for a, b in permutations(unit, 2)) / (len(unit) * (len(unit) - 1))
        for unit in units
    ) / len(units)
    share = {v: sum(unit.count(v) / len(unit) for unit in rated) / len(rated) for v in values}
    weight = sum(good(a, b) for a in values for b in values)
    q = len(values)
    pe = weight / (q * (q - 1)) * sum(p * (1 - p) for p in share.values())
    return (pa - pe) / (1 - pe)


def fleiss(units: Sequence[Sequence[int]]) -> float | None:
    m, n = len(units[0]), len(units)
    values = {v for unit in units for v in unit}
    p = sum(sum(a == b for a, b in permutations(unit, 2)) / (m * (m - 1)) for unit in units) / n
    pe = sum((sum(list(unit).count(v) for unit in units) / (n * m)) ** 2 for v in values)
    return (p - pe) / (1 - pe) if pe < 1 else None


def sign(x: float) -> int:
    return (x > 0) - (x < 0)


def tau_b(x: Sequence[float], y: Sequence[float]) -> float | None:
    pairs = combinations(range(len(x)), 2)
    return tau_b_of_signs([(sign(x[i] - x[j]), sign(y[i] - y[j])) for i, j in pairs])


def tau_b_of_signs(both: Sequence[tuple[int, int]]) -> float | None:
    top = sum(a * b for a, b in both)
    bottom = sqrt(sum(a != 0 for a, _ in both) * sum(b != 0 for _, b in both))
    return top / bottom if bottom else None


def mid_ranks(places: Sequence[float]) -> list[float]:
    return [
        sum(p < place for p in places) + (sum(p == place for p in places) + 1) / 2
        for place in places
    ]


def kendall_w(rankings: Iterable[Sequence[float]]) -> float | None:
    """W through Friedman's chi-square: chi2 / (m (k - 1)), which is the tie-corrected W."""
    ranks = [mid_ranks(places) for places in rankings]
    m, k = len(ranks), len(ranks[0])
    totals = [sum(r[i] for r in ranks) for i in range(k)]
    ties = sum(sum(r.count(v) ** 3 - r.count(v) for v in set(r)) for r in ranks)
    top = 12 * sum(t * t for t in totals) - 3 * m * m * k * (k + 1) ** 2
    bottom = m * k * (k + 1) - ties / (k - 1)
    return top / bottom / (m * (k - 1)) if bottom > 1e-9 else None


def half(a: int, b: int) -> float:
    return 1.0 if a == b else 0.5 if 0 in (a, b) else 0.0


def leave_one_out(answers: Answers, labeler: object) -> tuple[float, int]:
    """(agreeing, n) of one labeler with the sign of the others' mean margin."""
    agree, n = 0.0, 0
    for said in answers.values():
        others = [v for who, v in said.items() if who != labeler]
        if labeler not in said or not others:
            continue
        margin = sum(others) / len(others)
        if margin == 0 and any(others):
            continue
        agree += half(said[labeler], sign(margin))
        n += 1
    return agree, n
