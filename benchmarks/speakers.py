"""What a classifier of recordings makes of speakers whom it has never heard.

``python -m benchmarks.speakers train.tsv valid.tsv --members 1 --epochs 12``: from both lists each
speaker is left out in turn, and the model is then measured on all that this speaker says in them.
Options are those of ``lmtool train``; the lists name ``file``, ``text`` or ``label``, ``speaker``.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

SPEAKER, FILE = "speaker", "file"
LMTOOL = (sys.executable, "-m", "lmtool")

Rows = list[dict[str, str]]


def main() -> None:
    """A line for each speaker, and their mean."""
    train, valid, *options = sys.argv[1:]
    learnt, held = rows_of(Path(train)), rows_of(Path(valid))
    found = {}
    for speaker in sorted({row[SPEAKER] for row in learnt}):
        found[speaker] = left_out(speaker, learnt, held, options)
        print(f"{speaker:12s} {found[speaker]:.1f}", flush=True)
    print(f"{'mean':12s} {mean(found.values()):.1f}")


def rows_of(path: Path) -> Rows:
    """Those of a list, files named from anywhere."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [row | {FILE: str((path.parent / row[FILE]).resolve())} for row in rows]


def left_out(speaker: str, learnt: Rows, held: Rows, options: list[str]) -> float:
    """Accuracy in percent on a speaker whom a model has not heard."""
    with TemporaryDirectory() as folder:
        train, valid, test, model = (Path(folder) / name for name in ("t", "v", "x", "m"))
        write(train, [row for row in learnt if row[SPEAKER] != speaker])
        write(valid, [row for row in held if row[SPEAKER] != speaker])
        write(test, [row for row in learnt + held if row[SPEAKER] == speaker])
        kind = "--reads", "frames", "--writes", "label"
        given = str(train), "--valid", str(valid), "-m", str(model)
        subprocess.run([*LMTOOL, "train", *kind, *given, "--quiet", *options], check=True)
        asked = [*LMTOOL, "evaluate", str(test), "-m", str(model), "--json"]
        done = subprocess.run(asked, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout)["accuracy"])


def write(path: Path, rows: Rows) -> None:
    """A list of some rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
