"""Dask distributed on one machine: one future a spec, as its users write it. No batches (``--batch`` is not used)."""

import time

import dask
from dask.distributed import Client, LocalCluster

from orbital import propagate
from peer import parse_options, report, write_table
from spec_generator import generate_specs


def main() -> None:
    options = parse_options(__doc__, default_specs=5_000)
    specs = list(generate_specs(options.specs, options.seed))

    begun = time.perf_counter()
    cluster = LocalCluster(n_workers=options.workers, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, Client(cluster) as client:
        client.wait_for_workers(options.workers)
        ready = time.perf_counter()
        results = client.gather(client.map(propagate, specs, pure=False))
        computed = time.perf_counter()
        write_table(specs, results, options.out)
        ended = time.perf_counter()

    report(
        "dask-distributed",
        options.specs,
        ended - begun,
        workers=options.workers,
        batch=1,
        startSeconds=round(ready - begun, 4),
        computeSeconds=round(computed - ready, 4),
        writeSeconds=round(ended - computed, 4),
        dask=dask.__version__,
        out=options.out,
    )


if __name__ == "__main__":
    main()
