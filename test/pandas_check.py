"""Reads every table of a run's final/ folder with pandas and prints what it sees as JSON."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd


def plain(value):
    if isinstance(value, np.ndarray):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


folder = Path(sys.argv[1])
seen = {}
for path in [*sorted(folder.glob("*.pq")), folder.parent / "specs.pq"]:
    df = pd.read_parquet(path)
    flat = df.reset_index() if df.index.names[0] else df
    seen[path.stem] = {
        "index": list(df.index.names),
        "columns": list(df.columns),
        "rows": len(df),
        "sort_index": flat["sort_index"].tolist(),
        "dtypes": {c: str(df[c].dtype) for c in df.columns},
        "index_types": {n: str(df.index.get_level_values(n).dtype) for n in df.index.names if n},
    }
    if path.stem == "scalars":
        seen["scalars"]["big"] = [str(v) for v in flat["big"]]
        seen["scalars"]["when0"] = flat["when"].iloc[0].isoformat()
        seen["scalars"]["tags0"] = plain(df["tags"].iloc[0])
        seen["scalars"]["nested0"] = plain(df["nested"].iloc[0])
print(json.dumps(seen), flush=True)
os._exit(0)  # Arrow's threads may abort or hang a process that ends otherwise: apache/arrow issues 34314, 50482
