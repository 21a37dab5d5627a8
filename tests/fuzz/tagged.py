"""Tagged texts as a target."""

from pathlib import Path

from lmtool.data.readers.columns import describe, read_tagged
from lmtool.inference.phrases import block, evaluate_phrases
from lmtool.text.schemes import detect
from lmtool.text.tags import Tags
from tests.fuzz.labelled import refused

__all__ = ["tagged_case", "tagged_seeds"]

SENTENCES = (
    (("Todd", "Miller", "met", "Pete"), ("B-PER", "I-PER", "O", "B-PER")),
    (("a", "\u00e9t\u00e9", "/", "|"), ("O", "B-X", "B-X", "O")),
    (("in", "Oslo", "<", "it"), ("O", "B-LOC", "O", "O")),
)


def tagged_seeds(folder: Path) -> list[bytes]:
    """The same sentences in each form, and CoNLL-U."""
    pairs = [list(zip(*sentence, strict=True)) for sentence in SENTENCES]
    conllu = [
        "\n".join(f"{i}\t{w}" + f"\t{t}" * 8 for i, (w, t) in enumerate(own, 1)) for own in pairs
    ]
    forms = [
        "-DOCSTART- O\n\n" + "\n\n".join("\n".join(map(" ".join, own)) for own in pairs),
        "\n\n".join("\n".join(map("\t".join, own)) for own in pairs),
        "# text = x\n" + "\n\n".join(conllu),
        *("\n".join(" ".join(map(mark.join, own)) for own in pairs) for mark in "/|"),
        "<Mohan Sharma> was driving a <Maruti 800>\n\nHe said nothing .\n",
        "\n".join(
            f'{{"tokens": {list(words)}, "tags": {list(tags)}, "n": 1}}'.replace("'", '"')
            for words, tags in SENTENCES
        ),
    ]
    return [form.encode() for form in forms]


def tagged_case(data: bytes, folder: Path) -> bool:
    """Tagged texts, the tags that they make, and what these are worth beside themselves."""
    path = folder / "tagged.conll"
    path.write_bytes(data)

    def work() -> None:
        file = read_tagged(path)
        records = list(file.records)
        assert all(len(one.words) == len(one.tags) > 0 for one in records)
        assert all(word and not set(word) & set("\n\t\0") for one in records for word in one.words)
        found = detect(one.tags for one in records)
        assert "\n" not in describe(file, len(records), found)
        tags = Tags.build(records, found.scheme)
        again = Tags.from_tensors(tags.tensors())
        ids = [again.encode(one) for one in records]
        given = list(map(again.iob2, ids))
        assert given == [tags.spelled(one.tags) for one in records]
        assert block(evaluate_phrases(zip(given, given, strict=True))).startswith("processed")
        first, between, last = again.rules
        assert all(first[x[0]] and last[x[-1]] and between[x[:-1], x[1:]].all() for x in ids)

    return not refused(work)
