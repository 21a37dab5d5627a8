"""``python -m benchmarks [PART...]``: the table of parts, and the command line."""

import argparse
import os
from dataclasses import replace
from pathlib import Path

from benchmarks import (
    encoders,
    installing,
    kinds,
    peak,
    quality,
    recognisers,
    scale,
    scoring,
    startup,
    steps,
    throughput,
    translation,
    vectors,
)
from benchmarks.common import Options, Part, line, machine, say, show

PARTS: dict[str, Part] = {
    "throughput": Part(throughput.run),
    "steps": Part(steps.run),
    "encoders": Part(encoders.run),
    "translation": Part(translation.run),
    "recognisers": Part(recognisers.run),
    "vectors": Part(vectors.run),
    "kinds": Part(kinds.run),
    "installing": Part(installing.run),
    "peak": Part(peak.run),
    "quality": Part(quality.run, needs_data=True),
    "scoring": Part(scoring.run),
    "startup": Part(startup.run),
    "scale": Part(scale.run),
}


def main() -> None:
    """Runs the parts one after another."""
    options = parsed()
    if options.json:
        options.json.write_text("")
    for name in options.names:
        run(name, options)


def run(name: str, options: Options) -> None:
    """Prints each table as soon as it is there, and appends it to the JSON file."""
    say(f"{name} ...")
    load = os.getloadavg()[0]
    for table in PARTS[name].run(options):
        where = machine(load)
        show(table, where)
        if options.json:
            with options.json.open("a", encoding="utf-8") as file:
                print(line(name, table, where), file=file)


def parsed() -> Options:
    """The command line; without names, every part that can run."""
    parser = arguments()
    options = Options(**vars(parser.parse_args()))
    for name in options.names:
        if name not in PARTS:
            parser.error(f"{name}: choose from {', '.join(PARTS)}")
        if PARTS[name].needs_data and not options.data:
            parser.error(f"{name} needs --data FOLDER")
    possible = [name for name, part in PARTS.items() if options.data or not part.needs_data]
    return replace(options, names=options.names or possible)


def arguments() -> argparse.ArgumentParser:
    """Names, defaults and help."""
    parser = argparse.ArgumentParser("python -m benchmarks", description="lmtool and its peers.")
    add = parser.add_argument
    add("names", nargs="*", metavar="PART", help=", ".join(PARTS))
    add("--data", type=Path, metavar="FOLDER", help="holds train.txt and valid.txt, for quality")
    add("--lines", type=int, default=3000, metavar="N", help="of the file in scoring (3000)")
    add("--repeats", type=int, default=5, metavar="N", help="of each timing (default: 5)")
    add("--seconds", type=float, default=2.0, metavar="S", help="of a timing (default: 2)")
    add("--minutes", type=float, default=30.0, metavar="M", help="of PyTorch in quality (30)")
    add("--large", action="store_true", help="1 GB of text in scale, too")
    add("--json", type=Path, metavar="FILE", help="every table as a line of JSON")
    return parser


if __name__ == "__main__":
    main()
