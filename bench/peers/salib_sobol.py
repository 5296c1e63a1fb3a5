"""Sobol' indices by SALib, of outputs as raw doubles in Saltelli's order; prints them with the seconds they took.

python bench/peers/salib_sobol.py --output y.f64 --dimensions 8 --resamples 1000
"""

import argparse
import json
import platform
import resource
import time
from importlib.metadata import version

import numpy as np
from SALib.analyze import sobol

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--output", required=True)
parser.add_argument("--dimensions", type=int, required=True)
parser.add_argument("--resamples", type=int, required=True)
options = parser.parse_args()

d = options.dimensions
problem = {"num_vars": d, "names": [f"x{j}" for j in range(d)], "bounds": [[0, 1]] * d}
y = np.fromfile(options.output)

def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


begun, used = time.perf_counter(), cpu_seconds()
found = sobol.analyze(problem, y, num_resamples=options.resamples, seed=1)
seconds, cpu = time.perf_counter() - begun, cpu_seconds() - used

pairs = np.triu_indices(d, 1)
indices = {key: found[key].tolist() for key in ("S1", "ST", "S1_conf", "ST_conf")}
indices |= {key: found[key][pairs].tolist() for key in ("S2", "S2_conf")}
peer = f"SALib {version('SALib')}, NumPy {np.__version__}, Python {platform.python_version()}"
print(json.dumps({"peer": peer, "seconds": round(seconds, 3), "cpuSeconds": round(cpu, 3), "indices": indices}))
