"""How likely chance alone is to do as much."""

from __future__ import annotations

from math import erfc, exp, gamma, lgamma, log, sqrt


def chi_square_tail(x: float, df: int) -> float:
    """Return the probability of a chi-square of `df` degrees of freedom above x.

    Abramowitz and Stegun (1964), 26.4.4 and 26.4.5: closed forms for whole degrees of freedom.

    >>> round(chi_square_tail(3.841, 1), 3), round(chi_square_tail(9.488, 4), 3)
    (0.05, 0.05)
    """
    half = x / 2
    if df % 2 == 0:
        return float(exp(-half) * sum(half**i / gamma(i + 1) for i in range(df // 2)))
    terms = (half ** (i - 0.5) / gamma(i + 0.5) for i in range(1, df // 2 + 1))
    return float(erfc(sqrt(half)) + exp(-half) * sum(terms))


def binomial_tail(successes: int, n: int, p: float) -> float:
    """Return the probability of at least so many successes in n tries.

    >>> round(binomial_tail(9, 10, 0.5), 4)
    0.0107
    """
    if successes <= 0 or p >= 1:
        return 1.0
    if p <= 0:
        return 0.0
    return min(1.0, sum(_binomial(k, n, p) for k in range(successes, n + 1)))


def _binomial(k: int, n: int, p: float) -> float:
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return exp(ways + k * log(p) + (n - k) * log(1 - p))
