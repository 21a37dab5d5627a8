"""The definitions of the GCIDE dictionary (Debian's ``dict-gcide``) as a text, a paragraph a line.

``python -m benchmarks.dictionary /usr/share/dictd/gcide.dict.dz > gcide.txt``: lower case, letters
alone; headwords, [sources], \\pronunciations\\ and --Authors are left out.
"""

import gzip
import re
import sys
from collections.abc import Iterator

LEFT_OUT = re.compile(r"\[[^\]]*\]|\\[^\\]*\\|--\s*[A-Z][\w.& ()']*\.?")
NO_LETTERS = re.compile(r"[^A-Za-z' -]+")


def main() -> None:
    """What the file defines, to standard output."""
    with gzip.open(sys.argv[1], "rt", encoding="utf-8", errors="replace") as file:
        for line in definitions(file.read()):
            print(line)


def definitions(text: str) -> Iterator[str]:
    """``Ant \\\\Ant\\\\, n. [OE.]\\n   An insect. [1913]`` -> ``an insect``."""
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.split("\n")
        headed = bool(lines[0]) and not lines[0].startswith(" ")
        plain = LEFT_OUT.sub(" ", " ".join(lines[headed:]))
        words = (word.strip("'-") for word in NO_LETTERS.sub(" ", plain).lower().split())
        if line := " ".join(filter(None, words)):
            yield line


if __name__ == "__main__":
    main()
