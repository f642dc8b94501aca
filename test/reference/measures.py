"""Every measure of a matrix by numpy and scipy in float64, written from the papers and not from RankLens.

As a program: reads a JSON list of {"rows", "columns", "dtype", "file", "epsilon", "recurrent"} from stdin (file: raw
row-major values) and writes the list of measures, each with its singular values, as JSON to stdout.
"""
import json
import sys

import numpy
from scipy import optimize

TIE = 1e-6
EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def near(values, threshold, absolute=0.0):
    return bool(numpy.any(numpy.abs(values - threshold) <= max(TIE * threshold, absolute)))


def energy_rank(s, share):
    energy = numpy.cumsum(s**2)
    if energy[-1] == 0:
        return 0, False
    parts = energy / energy[-1] / share
    return int(numpy.argmax(energy >= share * energy[-1])) + 1, bool(numpy.any(numpy.abs(parts - 1) <= TIE))


# --- Empirical variational Bayes: the structure of the authors' and of the well-known VBMF.py -------------------

def vb_tau(x, alpha):
    return 0.5 * (x - (1 + alpha) + numpy.sqrt((x - (1 + alpha)) ** 2 - 4 * alpha))


def vb_free_energy(t, kept, s, alpha):
    """Free energy at ln(M sigma2) = t when the `kept` largest components are signal."""
    x = s**2 * numpy.exp(-t)
    z1, z2 = x[:kept], x[kept:]
    # A zero singular value contributes -ln(gamma^2) + t: the infinite constant is left out.
    zeros = numpy.sum(z2 == 0) * t
    z2 = z2[z2 > 0]
    tau = vb_tau(z1, alpha)
    return (numpy.sum(z2 - numpy.log(z2)) + zeros + numpy.sum(z1 - tau)
            + numpy.sum(numpy.log((tau + 1) / z1)) + alpha * numpy.sum(numpy.log(tau / alpha + 1)))


def evbmf_rank(s, rows, columns, noise):
    small, big = min(rows, columns), max(rows, columns)
    alpha = small / big
    tauubar = 2.5129 * numpy.sqrt(alpha)
    xubar = (1 + tauubar) * (1 + alpha / tauubar)
    clean = numpy.where(s > noise, s, 0.0)
    first = int(min(numpy.ceil(small / (1 + alpha)) - 1, small))
    upper = numpy.mean(clean**2)
    lower = max(clean[first] ** 2 / xubar, numpy.mean(clean[first:] ** 2))
    if lower == 0:
        # Without noise the free energy is unbounded below: everything that is not zero is kept.
        return int(numpy.sum(s > noise)), near(s, noise, small * 2.0**-53)
    low, high = numpy.log(min(lower, upper)), numpy.log(upper)
    with numpy.errstate(divide="ignore"):
        edges = numpy.concatenate([[numpy.inf], numpy.log(clean**2 / xubar), [-numpy.inf]])
    # The number of kept components is constant between two edges.
    pieces = [(max(low, edges[k + 1]), min(high, edges[k]), k) for k in range(small + 1)]
    pieces = [(a, b, k) for a, b, k in pieces if a <= b]
    ends = [(min(vb_free_energy(a, k, clean, alpha), vb_free_energy(b, k, clean, alpha)), a, b, k) for a, b, k in pieces]
    best = []
    for value, a, b, k in sorted(ends)[:8]:
        if b - a > 1e-12:
            value = min(value, optimize.minimize_scalar(vb_free_energy, args=(k, clean, alpha), bounds=(a, b), method="bounded", options={"xatol": 1e-12}).fun)
        best.append((value, k))
    best.sort()
    return best[0][1], len(best) > 1 and best[1][0] - best[0][0] <= TIE * small


# --- Marchenko-Pastur: the density integrated numerically, not the closed form -----------------------------------

class MarchenkoPastur:
    """Distribution function for ratio beta, from Gauss-Legendre quadrature of the density in x = low + width sin^2(phi / 2)."""

    NODES, WEIGHTS = numpy.polynomial.legendre.leggauss(24)

    def __init__(self, beta):
        self.beta = beta
        self.low, self.high = (1 - numpy.sqrt(beta)) ** 2, (1 + numpy.sqrt(beta)) ** 2
        # Panels shrink toward the lower edge, where the density is steep when beta is near 1.
        self.edges = numpy.concatenate([[0.0], numpy.pi * numpy.geomspace(1e-8, 1, 240)])
        self.cumulative = numpy.concatenate([[0.0], numpy.cumsum(self.panel(self.edges[:-1], self.edges[1:]))])

    def panel(self, a, b):
        """Share between the angles a and b."""
        a, b = numpy.asarray(a, float)[..., None], numpy.asarray(b, float)[..., None]
        phi = (a + b) / 2 + (b - a) / 2 * self.NODES
        width = self.high - self.low
        x = self.low + width * numpy.sin(phi / 2) ** 2
        density = (width / 2 * numpy.sin(phi)) ** 2 / (2 * numpy.pi * self.beta * numpy.maximum(x, 1e-300))
        return numpy.sum(density * self.WEIGHTS, axis=-1) * ((b - a) / 2)[..., 0]

    def cdf(self, x):
        inside = numpy.clip((x - self.low) / (self.high - self.low), 0, 1)
        phi = 2 * numpy.arcsin(numpy.sqrt(inside))
        index = numpy.clip(numpy.searchsorted(self.edges, phi, side="right") - 1, 0, len(self.edges) - 2)
        return numpy.clip(self.cumulative[index] + self.panel(self.edges[index], phi), 0, 1)


def ks_sides(ascending, law, variance):
    n = len(ascending)
    share = law.cdf(ascending / variance)
    i = numpy.arange(n)
    return numpy.max((i + 1) / n - share), numpy.max(share - i / n)


def fit_bulk(ascending, law):
    """
    The variance of the smallest distance: where the larger share of the sample becomes the larger of both sides.
    A search for the minimum of the distance itself has no single answer where a value outside of the support makes it constant.
    """
    def balance(t):
        excess, lack = ks_sides(ascending, law, numpy.exp(t))
        return excess - lack + 1e-12

    t = optimize.brentq(balance, numpy.log(ascending[0] / law.high), numpy.log(ascending[-1] / max(law.low, 1e-12)), xtol=1e-14)
    return numpy.exp(t), max(ks_sides(ascending, law, numpy.exp(t)))


def marchenko_pastur(s, rows, columns, noise):
    positive = s[s > noise]
    ascending = numpy.sort(positive**2)
    fewest = max(10, len(s) / 2)
    if len(positive) < fewest:
        return None, False
    law = MarchenkoPastur(len(positive) / max(rows, columns))
    spikes = 0
    while len(positive) - spikes >= fewest:
        variance, misfit = fit_bulk(ascending[: len(positive) - spikes], law)
        edge = variance * law.high
        count = int(numpy.sum(positive > numpy.sqrt(edge)))
        if count > spikes:
            spikes = count
            continue
        if misfit > 0.05 + 2 / (len(positive) - spikes):
            return None, False
        return {"spikes": spikes, "softRank": edge, "edge": numpy.sqrt(edge), "misfit": misfit}, near(positive, numpy.sqrt(edge))
    return None, False


# --- Power law: Clauset, Shalizi & Newman's plfit, by direct loops ------------------------------------------------

def power_law(s, noise):
    eigenvalues = numpy.sort(s[s > noise] ** 2)
    if len(eigenvalues) < 10:
        return None, False
    fits = []
    for i, minimum in enumerate(eigenvalues):
        if i > 0 and numpy.log(minimum / eigenvalues[i - 1]) < TIE:
            continue
        if numpy.log(eigenvalues[-1] / minimum) < 1e-3:
            continue
        tail = eigenvalues[i:]
        n = len(tail)
        exponent = n / numpy.sum(numpy.log(tail / minimum))
        distance = numpy.max(numpy.abs(1 - (minimum / tail) ** exponent - numpy.arange(n) / n))
        fits.append((distance, 1 + exponent))
    if not fits:
        return None, False
    fits.sort()
    return fits[0][1], len(fits) > 1 and fits[1][0] <= fits[0][0] * (1 + TIE)


def measures(matrix, epsilon, recurrent=False, values=None):
    """matrix: 2-D array of finite values; epsilon: of the type that the file stores; values: all singular values, if known."""
    a = numpy.asarray(matrix, numpy.float64)
    rows, columns = a.shape
    largest = numpy.max(numpy.abs(a))
    scale = 2.0 ** numpy.clip(numpy.floor(numpy.log2(largest)), -1000, 1000) if largest > 0 else 1.0
    scaled = numpy.linalg.svd(a / scale, compute_uv=False) if values is None else values / scale
    frobenius = scale * numpy.sqrt(numpy.sum((a / scale) ** 2))
    first = scaled[0]
    s = scaled / first if first > 0 else scaled
    small, big = min(rows, columns), max(rows, columns)
    # Of 16-bit types and below, the most that rounding each weight by epsilon / 2 can move a singular value (Weyl).
    tolerance = big * epsilon if epsilon < 2.0**-11 else epsilon / 2 * numpy.linalg.norm(s)
    absolute = small * 2.0**-53
    # What rounding every weight to the file's type can add, and computing in float64.
    noise = max(epsilon * (rows**0.5 + columns**0.5) * numpy.sqrt(numpy.sum(s**2) / (rows * columns)), big * 2.0**-52)
    ties = set()

    def told(name, pair):
        value, tie = pair
        if tie:
            ties.add(name)
        return value

    p = s / numpy.sum(s) if first > 0 else s
    p = p[p > 0]
    effective = float(numpy.exp(-numpy.sum(p * numpy.log(p)))) if first > 0 else 0.0
    beta = small / big
    omega = 0.56 * beta**3 - 0.95 * beta**2 + 1.82 * beta + 1.43
    median = numpy.median(s)
    threshold = omega * median
    bulk = told("spikes", marchenko_pastur(s, rows, columns, noise))
    energy = numpy.sum(s**2)
    return {
        "frobeniusNorm": frobenius,
        "spectralNorm": scaled[0] * scale,
        "nuclearNorm": numpy.sum(scaled) * scale,
        "stableRank": energy,
        "effectiveRank": effective,
        "participationRatio": energy**2 / numpy.sum(s**4) if first > 0 else 0.0,
        "utilization": effective / small,
        "numericalRank": told("numericalRank", (int(numpy.sum(s > tolerance)), near(s, tolerance, absolute))),
        "energyRank": {share: told("energyRank" + share, energy_rank(s, float(share))) for share in ("0.9", "0.95", "0.99")},
        "conditionNumber": None if s[-1] <= tolerance else 1 / s[-1],
        "hardThresholdRank": None if median <= noise else told("hardThresholdRank", (int(numpy.sum(s > threshold)), near(s, threshold, absolute))),
        "evbmfRank": told("evbmfRank", evbmf_rank(s, rows, columns, noise)),
        "marchenkoPastur": None if bulk is None else {"spikes": bulk["spikes"], "softRank": bulk["softRank"], "edge": bulk["edge"] * first * scale},
        "powerLawAlpha": told("powerLawAlpha", power_law(s, noise)),
        "spectralRadius": float(numpy.max(numpy.abs(numpy.linalg.eigvals(a / scale)))) * scale if recurrent and rows == columns else None,
        "breakEvenRank": rows * columns // (rows + columns),
        "ties": sorted(ties),
        "singularValues": list(scaled * scale),
    }


def plain(value):
    """numpy's numbers for json."""
    return value.item() if isinstance(value, numpy.generic) else value


def main():
    answers = []
    for case in json.load(sys.stdin):
        values = numpy.fromfile(case["file"], numpy.dtype(case["dtype"])).reshape(case["rows"], case["columns"])
        answers.append(measures(values, EPSILON[case["dtype"]], case["recurrent"]))
    json.dump(answers, sys.stdout, default=plain)


if __name__ == "__main__":
    main()
