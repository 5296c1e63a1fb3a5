"""SALib's indices, and NumPy's regressions, of the samples given as JSON; prints them as JSON.

Also writes the golden file of the tests: python test/salib_check.py samples.json > test/fixtures/salib-indices.json
"""

import json
import sys

import numpy as np
from SALib.analyze import morris, pawn, sobol
from scipy.stats import rankdata


def plain(result, *keys):
    return {key: np.asarray(result[key], dtype=float).tolist() for key in keys}


def regression(x, y):
    """Standardised coefficients and partial correlations, the latter from residuals."""
    x, y = [(values - values.mean(axis=0)) / values.std(axis=0) for values in (x, y)]
    src = np.linalg.lstsq(x, y, rcond=None)[0]
    pcc = []
    for j in range(x.shape[1]):
        others = np.delete(x, j, axis=1)
        rest = [v - others @ np.linalg.lstsq(others, v, rcond=None)[0] for v in (x[:, j], y)]
        pcc.append(float(np.corrcoef(*rest)[0, 1]))
    return {"coefficients": src.tolist(), "partial": pcc, "rSquared": float(1 - np.var(y - x @ src))}


def analyse(sample):
    d = sample["dimensions"]
    problem = {"num_vars": d, "names": [f"x{j + 1}" for j in range(d)], "bounds": [[0, 1]] * d}
    y = np.array(sample["output"])
    kind = sample["kind"]
    if kind == "sobol":
        second = sample["secondOrder"]
        found = sobol.analyze(problem, y, calc_second_order=second, num_resamples=1000, seed=1)
        keys = ["S1", "ST", "S1_conf", "ST_conf"]
        answer = plain(found, *keys)
        if second:
            pairs = np.triu_indices(d, 1)
            answer |= {key: found[key][pairs].tolist() for key in ("S2", "S2_conf")}
        return answer
    x = np.array(sample["inputs"]).T
    if kind == "morris":
        found = morris.analyze(problem, x, y, num_resamples=1000, num_levels=sample["levels"], seed=1)
        return plain(found, "mu", "mu_star", "sigma", "mu_star_conf")
    if kind == "pawn":
        return plain(pawn.analyze(problem, x, y, S=sample["slices"]), "minimum", "mean", "median", "maximum", "CV", "stdev")
    if kind == "rank-regression":
        x, y = np.apply_along_axis(rankdata, 0, x), rankdata(y)
    return regression(x, y)


samples = json.load(open(sys.argv[1]))
json.dump({name: analyse(sample) for name, sample in samples.items()}, sys.stdout, indent=1)
print()
