"""Reads the tables of the value matrix with pandas and DuckDB and prints what they see as JSON."""

import json
import math
import sys
from pathlib import Path

import duckdb
import pandas as pd

folder = Path(sys.argv[1])
scalars = str(folder / "scalars.pq")
df = pd.read_parquet(scalars).reset_index().set_index("how")
con = duckdb.connect()
con.execute("SET TimeZone = 'UTC'")
texts = df["text"].dropna()
types = con.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('{scalars}'))").fetchall()
extreme = con.execute(
    f"SELECT \"real\", CAST(whole AS VARCHAR), CAST(big AS VARCHAR), year(\"when\") FROM read_parquet('{scalars}') WHERE how = 'extreme'"
).fetchone()
empty = pd.read_parquet(folder / "empty.pq")
print(
    json.dumps(
        {
            "types": {k: v for k, v in types if k in ("real", "whole", "big", "when", "text")},
            "minus_zero": math.copysign(1, df.loc["minus_zero", "real"]),
            "extreme": {"real": extreme[0], "whole": extreme[1], "big": extreme[2]},
            "year": extreme[3],
            "pandas": texts.to_dict(),
            "duckdb": dict(con.execute(f"SELECT how, text FROM read_parquet('{scalars}') WHERE text IS NOT NULL").fetchall()),
            "missing": [bool(pd.isna(df.loc[how, "real"])) for how in ("null", "missing")],
            "empty": [len(empty), str(empty["never"].dtype)],
        }
    )
)
