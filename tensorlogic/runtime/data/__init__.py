"""Data for training: tables, batches and windows of them, and the readers of text, CSV and JSON files."""

from tensorlogic.runtime.data.batches import Batches, batches
from tensorlogic.runtime.data.csv_files import read_column, read_csv
from tensorlogic.runtime.data.json_files import read_json, read_jsonl
from tensorlogic.runtime.data.table import Table, random_split, windows
from tensorlogic.runtime.data.text_files import read_text

__all__ = [
    "Batches", "Table", "batches", "random_split", "read_column", "read_csv", "read_json", "read_jsonl", "read_text", "windows",
]  # fmt: skip
