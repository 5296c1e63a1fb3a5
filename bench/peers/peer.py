"""What the Python peers share: their options, their table, and the line they print."""

import argparse
import json
import platform
from collections.abc import Iterable

import pandas as pd


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
    table = pd.read_parquet(str(detail["out"]))
    if len(table) != specs or table.isna().to_numpy().any():
        raise ValueError(f"{peer} wrote {len(table)} of {specs} rows, or empty cells.")
    line = {"peer": peer, "specs": specs, "seconds": round(seconds, 4), "specsPerSecond": round(specs / seconds, 1)}
    print(json.dumps(line | detail | {"python": platform.python_version()}))
