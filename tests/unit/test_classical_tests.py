"""Classical tests: published examples, and the same p-values as statsmodels and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare, norm, ttest_ind
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from core.experiments import classical

RNG = np.random.default_rng(1)
COUNTS = [tuple(int(x) for x in pair) for pair in RNG.integers(0, 60, (12, 2))]


# Published examples


def test_two_shares_as_published() -> None:
    # Physicians' Health Study: myocardial infarction in 189 of 11,034 with placebo, 104 of 11,037 with aspirin; pooled
    # z = 5.00 (Agresti 2002, Categorical Data Analysis, 2nd ed., section 3.1; its Pearson chi-square is 25.01).
    p = classical.two_proportions((189, 104), (11_034, 11_037))
    assert p is not None
    assert norm.isf(p / 2) ** 2 == pytest.approx(25.01, abs=0.005)


def test_welch_as_published() -> None:
    # Fisher's sleep data (Student 1908, Biometrika 6, 20), as two independent groups in R's ?t.test: t = -1.8608,
    # df = 17.776, p-value = 0.07939.
    one = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    two = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    p = classical.welch((one.mean(), two.mean()), (one.var(ddof=1), two.var(ddof=1)), (10, 10))
    assert p == pytest.approx(0.07939, abs=5e-6)


def test_mcnemar_as_published() -> None:
    # Approval of the prime minister asked twice: 150 turned away and 86 turned to him (Agresti 2002, table 10.1).
    # z^2 = (86 - 150)^2 / (86 + 150) = 17.36, whose p-value is 3.1e-5; the exact one is R's
    # binom.test(86, 236)$p.value = 3.716e-05.
    p = classical.mcnemar(86, 150)
    assert p == pytest.approx(3.716e-05, abs=5e-9)
    assert classical.mcnemar(150, 86) == p


def test_mcnemar_of_a_few_cases_by_hand() -> None:
    assert classical.mcnemar(0, 5) == pytest.approx(2 / 32)
    assert classical.mcnemar(1, 5) == pytest.approx(2 * 7 / 64)
    assert classical.mcnemar(3, 3) == 1


def test_holm_by_hand() -> None:
    # Holm (1979): the smallest times 4, the next times 3, and none below one before it.
    assert classical.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert classical.holm([0.5, 0.4, 0.9]) == (1.0, 1.0, 1.0)
    assert classical.holm([0.02, None, 0.03]) == pytest.approx((0.04, None, 0.04), nan_ok=True)
    assert classical.holm([]) == ()
    assert classical.holm([None]) == (None,)


def test_a_sample_ratio_as_published() -> None:
    # 821,588 and 815,482 users where half was meant: p = 1.8e-6 (Kohavi, Tang and Xu 2020, Trustworthy Online
    # Controlled Experiments, ch. 3, "Sample Ratio Mismatch", scenario 1).
    assert classical.sample_ratio([821_588, 815_482], [0.5, 0.5]) == pytest.approx(1.8e-6, abs=0.05e-6)


# Agreement with statsmodels and scipy


@pytest.mark.parametrize("successes", COUNTS)
def test_two_shares_as_statsmodels(successes: tuple[int, int]) -> None:
    trials = (60, 97)
    expected = proportions_ztest(np.array(successes), np.array(trials))[1]
    assert classical.two_proportions(successes, trials) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("only", COUNTS)
def test_mcnemar_as_statsmodels(only: tuple[int, int]) -> None:
    expected = mcnemar([[9, only[0]], [only[1], 7]], exact=True).pvalue
    assert classical.mcnemar(*only) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_holm_as_statsmodels(n: int) -> None:
    p_values = [*np.random.default_rng(n).beta(0.3, 3, size=n), 0.0, 1.0]
    p_values += p_values[:1]  # two that are the same
    expected = multipletests(p_values, method="holm")[1]
    assert classical.holm(p_values) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("seed", range(6))
def test_welch_as_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, two = rng.normal(5, 1, size=2 + 3 * seed), rng.normal(5.5, 4, size=9)
    found = classical.welch((one.mean(), two.mean()), (one.var(ddof=1), two.var(ddof=1)), (len(one), len(two)))
    assert found == pytest.approx(ttest_ind(one, two, equal_var=False).pvalue, rel=1e-9)


def test_a_sample_ratio_as_scipy() -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        shares = rng.dirichlet(np.ones(4))
        units = rng.multinomial(5000, shares)
        expected = chisquare(units, shares * 5000).pvalue
        assert classical.sample_ratio(units.tolist(), shares.tolist()) == pytest.approx(expected, rel=1e-9)


# Where nothing can be said


def test_where_nothing_can_be_said_there_is_no_p_value() -> None:
    assert classical.two_proportions((0, 0), (0, 9)) is None
    assert classical.two_proportions((0, 0), (9, 9)) is None
    assert classical.two_proportions((9, 9), (9, 9)) is None
    assert classical.welch((1, 2), (0, 0), (9, 9)) is None
    assert classical.welch((1, 2), (1, 1), (1, 9)) is None
    assert classical.mcnemar(0, 0) is None
    assert classical.sample_ratio([], []) is None
    assert classical.sample_ratio([0, 0], [0.5, 0.5]) is None
    assert classical.sample_ratio([70, 0], [1.0, 0.0]) is None


def test_variants_without_a_share_do_not_count_in_a_split() -> None:
    with_one = classical.sample_ratio([520, 480, 3], [0.5, 0.5, 0.0])
    assert with_one == classical.sample_ratio([520, 480], [0.5, 0.5])
    assert with_one == pytest.approx(0.2059, abs=1e-4)  # chi-square (20^2 + 20^2) / 500 = 1.6


def test_a_variance_of_one_side_is_enough_for_welch() -> None:
    assert classical.welch((1.0, 2.0), (0.0, 1.0), (5, 5)) == pytest.approx(0.0890, abs=1e-4)  # t = -sqrt 5, 4 degrees
