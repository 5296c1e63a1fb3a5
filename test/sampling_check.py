"""What SciPy and SALib give for the same designs, as JSON on stdout. argv[1]: points, medians, quantiles or saltelli."""

import json
import os
import sys
import warnings

import numpy as np
import scipy
from scipy import special, stats
from scipy.stats import qmc

warnings.simplefilter("ignore")
DIMENSIONS = 1111


def rows(sampler, skip, count):
    if isinstance(sampler, qmc.Halton):
        sampler.num_generated = skip  # fast_forward would make all that come before
    elif skip > 0:
        sampler.fast_forward(skip)
    return sampler.random(count)


def golden():
    """The few points that are kept in the repository."""
    sobol = lambda d: qmc.Sobol(d, scramble=False)
    halton = lambda d: qmc.Halton(d, scramble=False)
    return {
        "scipy": scipy.__version__,
        "sobol": [
            {"dimensions": 6, "first": 0, "points": rows(sobol(6), 0, 17).tolist()},
            {"dimensions": 6, "first": 2**20 - 1, "points": rows(sobol(6), 2**20 - 1, 2).tolist()},
            {"dimensions": DIMENSIONS, "first": 12345, "points": rows(sobol(DIMENSIONS), 12345, 1)[:, ::111].tolist()},
        ],
        "halton": [
            {"dimensions": 6, "first": 0, "points": rows(halton(6), 0, 17).tolist()},
            {"dimensions": 6, "first": 2**31, "points": rows(halton(6), 2**31, 2).tolist()},
            {"dimensions": DIMENSIONS, "first": 12345, "points": rows(halton(DIMENSIONS), 12345, 1)[:, ::111].tolist()},
        ],
    }


def points():
    table = np.load(os.path.join(os.path.dirname(scipy.__file__), "stats", "_sobol_direction_numbers.npz"))
    sobol = qmc.Sobol(DIMENSIONS, scramble=False).random(128)
    halton = qmc.Halton(60, scramble=False).random(600)
    sample = qmc.LatinHypercube(5, rng=1).random(40)
    return {
        "polynomials": table["poly"][:DIMENSIONS].tolist(),
        "initial": [[int(m) for m in row if m > 0] for row in table["vinit"][:DIMENSIONS]],
        "sobol": sobol.tolist(),
        "halton": halton.tolist(),
        "sample": sample.tolist(),
        "discrepancy": qmc.discrepancy(sample),
    }


def medians():
    median = lambda make, seeds=20: float(np.median([qmc.discrepancy(make(seed)) for seed in range(seeds)]))
    return {
        "lhs": median(lambda seed: qmc.LatinHypercube(8, rng=seed).random(200)),
        # a second each, and hardly any spread: five are enough
        "optimised": median(lambda seed: qmc.LatinHypercube(8, optimization="random-cd", rng=seed).random(200), 5),
        "sobol": median(lambda seed: qmc.Sobol(8, rng=seed).random(256)),
        "halton": median(lambda seed: qmc.Halton(8, rng=seed).random(200)),
    }


def quantiles():
    given = json.load(sys.stdin)
    u = np.array(given["u"])
    beta = [special.betaincinv(a, b, u).tolist() for a, b in given["beta"]]
    truncated = [stats.truncnorm.ppf(u, low, high).tolist() for low, high in given["truncated"]]
    c = 0.25
    return {
        "normal": special.ndtri(u).tolist(),
        "beta": beta,
        "truncated": truncated,
        "loguniform": stats.loguniform.ppf(u, 0.5, 15).tolist(),
        "triangular": stats.triang.ppf(u, c, loc=2, scale=8).tolist(),
    }


def saltelli():
    from SALib.sample import sobol

    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0, 1]] * 3}
    sample = lambda second: sobol.sample(problem, 16, scramble=False, calc_second_order=second).tolist()
    return {"first": sample(False), "second": sample(True)}


print(json.dumps(globals()[sys.argv[1]]()))
