"""The bare Python process pool: concurrent.futures, chunks of specs, one DataFrame, one Parquet file."""

import time
from concurrent.futures import ProcessPoolExecutor

from orbital import propagate
from peer import parse_options, report, write_table
from spec_generator import generate_specs


def main() -> None:
    options = parse_options(__doc__, default_specs=100_000)
    specs = list(generate_specs(options.specs, options.seed))

    begun = time.perf_counter()
    with ProcessPoolExecutor(options.workers) as pool:
        results = list(pool.map(propagate, specs, chunksize=options.batch))
    computed = time.perf_counter()
    write_table(specs, results, options.out)
    ended = time.perf_counter()

    report(
        "python-process-pool",
        options.specs,
        ended - begun,
        workers=options.workers,
        batch=options.batch,
        computeSeconds=round(computed - begun, 4),
        writeSeconds=round(ended - computed, 4),
        out=options.out,
    )


if __name__ == "__main__":
    main()
