import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from citepoll.errors import InputError
from citepoll.explain.gaps import gaps, probability

V13 = {
    (3, 1, 0): 0.7131, (3, 2, 0): 0.9247, (3, 3, 0): 0.9905, (3, 3, 1): 0.9247, (5, 2, 0): 0.8662,
    (5, 3, 0): 0.9624, (12, 3, 0): 0.8521, (12, 4, 0): 0.9444, (12, 6, 2): 0.8852, (20, 5, 1): 0.8011,
}  # fmt: skip


@pytest.mark.parametrize(("counts", "expected"), V13.items())
def test_vector_v13(counts, expected):
    assert probability(*counts, 0.1) == pytest.approx(expected, abs=5e-5)


def test_against_adaptive_quadrature():
    ours, theirs = stats.beta(2.5, 5.5), stats.beta(4.5, 3.5)
    exact, _ = integrate.quad(lambda x: ours.pdf(x) * theirs.sf(x + 0.1), 0, 0.9)
    assert probability(7, 4, 2, 0.1) == pytest.approx(exact, abs=1e-6)


@given(st.integers(0, 30), st.data())
def test_more_citations_of_theirs_never_lower_it(n, data):
    b, c = data.draw(st.integers(0, n)), data.draw(st.integers(0, max(0, n - 1)))
    assert 0 <= probability(n, c, b) <= probability(n, min(n, c + 1), b) + 1e-12 <= 1 + 1e-9


def test_decision_table():
    verdicts = {(c, b): gaps("q", 3, b, {"x": c})[0].verdict for c in range(4) for b in range(4)}
    assert {k for k, v in verdicts.items() if v == "confirmed"} == {(2, 0), (3, 0), (3, 1)}
    assert verdicts[1, 0] == "candidate"
    assert verdicts[0, 0] == "none"


def test_bad_counts_are_told():
    with pytest.raises(InputError, match="4 of 3 and 0 of 3"):
        probability(3, 4, 0)
