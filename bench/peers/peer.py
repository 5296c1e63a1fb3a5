"""What the Python peers share: their options, their table, and the line they print."""

import argparse
import json
import platform
from collections.abc import Iterable

import pandas as pd
import pyarrow.parquet as pq


def parse_options(description: str, default_specs: int) -> argparse.Namespace:
    """Reads ``--specs --workers --batch --seed --out``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--specs", type=int, default=default_specs)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, help="Parquet file to write")
    return parser.parse_args()


def write_table(specs: list[dict[str, float]], results: Iterable[dict[str, float]], path: str) -> None:
    """Writes one row a spec: its sort_index, its inputs, its outputs."""
    frame = pd.concat([pd.DataFrame(specs), pd.DataFrame(list(results))], axis="columns")
    frame.index.name = "sort_index"
    frame.to_parquet(path)


def report(peer: str, specs: int, seconds: float, **detail: object) -> None:
    """Prints the peer's one line of JSON; ``seconds`` runs from specs in memory to the file written.

    Raises ValueError when the file ``out`` has not a row of numbers for each spec: such a run has no speed.
    """
    # of the footer alone: reading by threads that end as Python does aborts it now and then (apache/arrow 34314)
    metadata = pq.read_metadata(str(detail["out"]))
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    empty = sum(group.column(column).statistics.null_count for group in groups for column in range(group.num_columns))
    if metadata.num_rows != specs or empty > 0:
        raise ValueError(f"{peer} wrote {metadata.num_rows} of {specs} rows, {empty} cells of them empty.")
    line = {"peer": peer, "specs": specs, "seconds": round(seconds, 4), "specsPerSecond": round(specs / seconds, 1)}
    print(json.dumps(line | detail | {"python": platform.python_version()}))
