"""Python Scythe (scythe-engine) on the Hatchet server and the bucket that the environment names.

python_scythe.py worker         serves `orbital_scalars` until it is stopped
python_scythe.py run --specs N  allocates N specs, waits for the tables, and prints one line of JSON
"""

import argparse
import io
import json
import logging
import platform
import time
from importlib.metadata import version

import boto3
import pandas as pd
from orbital import propagate
from scythe.base import ExperimentInputSpec, ExperimentOutputSpec
from scythe.experiments import BaseExperiment
from scythe.registry import ExperimentRegistry
from scythe.settings import ScytheStorageSettings
from scythe.worker import ScytheWorkerConfig
from spec_generator import generate_specs

ELEMENTS = list(next(iter(generate_specs(1))))


class Orbit(ExperimentInputSpec):
    semi_major_axis_km: float
    eccentricity: float
    inclination_deg: float
    raan_deg: float
    arg_perigee_deg: float
    mean_anomaly_deg: float


class Place(ExperimentOutputSpec):
    period_min: float
    raan_rate_deg_per_day: float
    arg_perigee_rate_deg_per_day: float
    x_km: float
    y_km: float
    z_km: float


@ExperimentRegistry.Register(name="orbital_scalars", description="as in TypeScript")
def orbital_scalars(input_spec: Orbit) -> Place:
    return Place(**propagate({name: getattr(input_spec, name) for name in ELEMENTS}))


def run(count: int) -> None:
    elements = list(generate_specs(count))
    begun = time.perf_counter()
    specs = [Orbit(experiment_id="-", sort_index=i, **spec) for i, spec in enumerate(elements)]
    experiment_run, reference = BaseExperiment(runnable=orbital_scalars).allocate(specs)
    reference.result()
    ended = time.perf_counter()

    key = f"{experiment_run.prefix}final/scalars.pq"
    body = boto3.client("s3").get_object(Bucket=ScytheStorageSettings().BUCKET, Key=key)["Body"].read()
    line = {
        "peer": f"scythe-engine {version('scythe-engine')}",
        "specs": count,
        "seconds": round(ended - begun, 3),
        "specsPerSecond": round(count / (ended - begun), 2),
        "succeeded": len(pd.read_parquet(io.BytesIO(body))),
        "python": platform.python_version(),
    }
    print(json.dumps(line))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["worker", "run"])
    parser.add_argument("--specs", type=int, default=400)
    options = parser.parse_args()
    if options.what == "run":
        run(options.specs)
        return
    logging.basicConfig(level=logging.INFO)
    ScytheWorkerConfig().start()


if __name__ == "__main__":
    main()
