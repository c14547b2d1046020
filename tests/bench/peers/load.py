"""Loads a file of entitlements into the table `incoming` with pandas and SQLAlchemy, as a script of an office does.

Needs Python 3.10 or later with pandas, SQLAlchemy 2 and psycopg 3:

    python3 -m venv venv && venv/bin/pip install pandas sqlalchemy 'psycopg[binary]'
    BENEFACTOR_BENCH_PYTHON=venv/bin/python cargo bench -- peers

    load.py                  prints the versions
    load.py URL FILE         loads the file
"""

import sys

import pandas
import psycopg
import sqlalchemy

DATES = ["purchased_on", "starts_on", "expires_on"]
ROWS_AT_A_TIME = 100_000


def load(url: str, path: str) -> None:
    engine = sqlalchemy.create_engine(url.replace("postgres://", "postgresql+psycopg://", 1))
    text = {"partner_id": str, "competency": str, "subscription_id": str}
    with engine.begin() as connection:
        for rows in pandas.read_csv(path, dtype=text, parse_dates=DATES, chunksize=ROWS_AT_A_TIME):
            for column in DATES:
                rows[column] = rows[column].dt.date
            rows = rows.astype(object).where(rows.notna(), None)
            rows.to_sql("incoming", connection, if_exists="append", index=False, chunksize=10_000)


if len(sys.argv) == 1:
    print(f"pandas {pandas.__version__}, SQLAlchemy {sqlalchemy.__version__}, psycopg {psycopg.__version__}")
else:
    load(sys.argv[1], sys.argv[2])
