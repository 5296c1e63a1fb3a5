"""Designs by SciPy, as bench/designs.mjs makes them; prints one line of JSON.

python bench/peers/scipy_designs.py sobol --points 1000000 --dimensions 10 --rounds 3 --out peer.parquet [--scramble]
python bench/peers/scipy_designs.py equal --ours ours.parquet --out peer.parquet
python bench/peers/scipy_designs.py latin --points 200 --dimensions 8 --seeds 10 --ours ours.f64
"""

import argparse
import json
import platform
import resource
import time
import warnings

import numpy as np
import pandas as pd
import scipy
from scipy.stats import qmc


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measured(work):
    """What it returns, its seconds, and those of the processor."""
    begun, used = time.perf_counter(), cpu_seconds()
    result = work()
    return result, time.perf_counter() - begun, cpu_seconds() - used


def sobol():
    """Field j lies between j and 2 j + 1."""
    d = options.dimensions

    def write():
        points = qmc.Sobol(d, scramble=options.scramble, rng=7).random(options.points)
        scaled = qmc.scale(points, [j for j in range(d)], [2 * j + 1 for j in range(d)])
        pd.DataFrame(scaled, columns=[f"x{j}" for j in range(d)]).to_parquet(options.out)

    rounds = [measured(write) for _ in range(options.rounds)]
    return {"seconds": float(np.median([r[1] for r in rounds])), "cpuSeconds": float(np.median([r[2] for r in rounds]))}


def equal():
    ours, theirs = pd.read_parquet(options.ours), pd.read_parquet(options.out)
    same = list(ours.columns) == list(theirs.columns) and np.array_equal(ours.to_numpy(), theirs.to_numpy())
    within = all(ours[f"x{j}"].between(j, 2 * j + 1).all() for j in range(ours.shape[1]))
    return {"shapes": [list(ours.shape), list(theirs.shape)], "same": same, "within": bool(within)}


def latin():
    """Also the discrepancies of our designs, one after the other in a file, each row by row."""
    n, d = options.points, options.dimensions
    ours = np.fromfile(options.ours).reshape(-1, n, d)
    make = lambda seed: qmc.LatinHypercube(d, optimization="random-cd", rng=seed).random(n)
    rounds = [measured(lambda seed=seed: make(seed)) for seed in range(options.seeds)]
    return {
        "discrepancies": [float(qmc.discrepancy(points)) for points, _, _ in rounds],
        "seconds": float(np.median([r[1] for r in rounds])),
        "cpuSeconds": float(np.median([r[2] for r in rounds])),
        "ours": [float(qmc.discrepancy(points)) for points in ours],
    }


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("mode", choices=["sobol", "equal", "latin"])
for name in ("points", "dimensions", "rounds", "seeds"):
    parser.add_argument(f"--{name}", type=int)
for name in ("out", "ours"):
    parser.add_argument(f"--{name}")
parser.add_argument("--scramble", action="store_true")
options = parser.parse_args()
warnings.filterwarnings("ignore", message="The balance properties")

versions = f"SciPy {scipy.__version__}, pandas {pd.__version__}, Python {platform.python_version()}"
print(json.dumps({"peer": versions} | {"sobol": sobol, "equal": equal, "latin": latin}[options.mode]()))
