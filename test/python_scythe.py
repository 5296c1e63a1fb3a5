"""Reads and writes runs with Python Scythe's own code, against the bucket that its settings name.

python_scythe.py read    prints what Python Scythe sees of `lifespan` as JSON
python_scythe.py write   lays out a run of `from_python` as Python Scythe does
"""

import io
import json
import os
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import boto3
import pandas as pd
import yaml
from pydantic import Field
from scythe.base import ExperimentInputSpec, ExperimentOutputSpec
from scythe.experiments import BaseExperiment, ExperimentRun, ExperimentRunManifest, SemVer, VersionedExperiment
from scythe.registry import ExperimentRegistry
from scythe.settings import ScytheStorageSettings
from scythe.utils.filesys import FileReference
from scythe.utils.results import save_and_upload_parquets

s3 = boto3.client("s3")
settings = ScytheStorageSettings()


class LifespanInput(ExperimentInputSpec):
    age: int = Field(ge=0)
    weight: float
    coefficients: FileReference


class PythonInput(ExperimentInputSpec):
    n: int
    name: str
    when: datetime

    @property
    def computed_features(self):
        return {"parity": "odd" if self.n % 2 else "even"}


class Output(ExperimentOutputSpec):
    half: float
    maybe: float | None = None


@ExperimentRegistry.Register(name="lifespan", description="as in TypeScript")
def lifespan(input_spec: LifespanInput) -> Output:
    return Output(half=input_spec.age / 2)


@ExperimentRegistry.Register(name="from_python", description="made here")
def from_python(input_spec: PythonInput) -> Output:
    return Output(half=input_spec.n / 2)


def fetch(key: str) -> bytes:
    return s3.get_object(Bucket=settings.BUCKET, Key=key)["Body"].read()


def read() -> dict:
    experiment = BaseExperiment(runnable=lifespan)
    run = experiment.latest_run
    manifest = ExperimentRunManifest.model_validate(yaml.safe_load(fetch(run.manifest_filekey)))
    specs = pd.read_parquet(io.BytesIO(fetch(run.specs_filekey)))
    checked = [LifespanInput.model_validate(spec) for spec in specs.to_dict(orient="records")]
    tables = {}
    for stem, key in experiment.latest_results.items():
        df = pd.read_parquet(io.BytesIO(fetch(key)))
        tables[stem] = {"rows": len(df), "index": list(df.index.names), "columns": list(df.columns)}
    return {
        "versions": sorted(str(v.version) for v in experiment.list_versions()),
        "latest": str(experiment.latest_version().version),
        "runs": [r.experiment_id for r in experiment.latest_version().list_runs()],
        "files": run.list_results_files(),
        "manifest": manifest.model_dump(mode="json"),
        "specs": [len(checked), checked[0].sort_index, checked[-1].age, str(checked[0].coefficients)],
        "tables": tables,
        "io_spec": sorted(yaml.safe_load(fetch(run.io_spec_filekey))["properties"]),
    }


def write() -> dict:
    base = BaseExperiment(runnable=from_python)
    versioned = VersionedExperiment(base_experiment=base, version=SemVer(major=2, minor=1))
    run = ExperimentRun(versioned_experiment=versioned, timestamp=datetime(2024, 3, 4, 5, 6, 7))
    specs = [
        PythonInput(experiment_id="", sort_index=0, n=n, name=f"é {n} 😀", when=datetime(2024, 1, 1 + n))
        for n in range(5)
    ]
    run.overwrite_spec_meta(specs)
    put = lambda key, body: s3.put_object(Bucket=settings.BUCKET, Key=key, Body=body)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "specs.pq"
        pd.DataFrame([spec.model_dump(mode="json") for spec in specs]).to_parquet(path)
        put(run.specs_filekey, path.read_bytes())
    manifest = run.construct_manifest("0f8fad5b-d9cb-469f-a165-70867728950e")
    put(run.manifest_filekey, yaml.dump(manifest.model_dump(mode="json"), indent=2, sort_keys=False))
    put(run.io_spec_filekey, yaml.dump({"properties": {}}, sort_keys=False))  # and no input_artifacts.yml, though named
    frames = []
    for spec in specs:
        spec.workflow_run_id, spec.root_workflow_run_id = f"run-{spec.sort_index}", "root"
        output = Output(half=spec.n / 2, maybe=None if spec.n % 2 else spec.n)
        output._add_scalars(spec)
        steps = pd.DataFrame({"step": [0, 1]}, index=spec.make_multiindex(n_rows=2))
        frames.append((output.dataframes["scalars"], steps))
        put(f"{run.prefix}results/task-dataframes/scalars/run-{spec.sort_index}.pq", b"one a task")
    final = {"scalars": pd.concat([f[0] for f in frames]), "steps": pd.concat([f[1] for f in frames])}
    save_and_upload_parquets(final, s3, settings.BUCKET, lambda key: f"{run.final_results_dirkey}{key}.pq")
    return {"experiment_id": run.experiment_id}


print(json.dumps(read() if sys.argv[1] == "read" else write()), flush=True)
os._exit(0)  # Arrow's threads may abort or hang a process that ends otherwise: apache/arrow issues 34314, 50482
