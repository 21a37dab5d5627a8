"""The table of kinds: a new one is a new file and a line here."""

from lmtool.kinds import (
    captioner,
    classifier,
    frame_classifier,
    language_model,
    recogniser,
    tagger,
    translator,
    vector_classifier,
)
from lmtool.kinds.base import Kind, Material

__all__ = ["KINDS", "Kind", "Material"]

KINDS: dict[tuple[str, str], Kind] = {
    (kind.reads, kind.writes): kind
    for kind in (
        language_model.KIND,
        translator.KIND,
        captioner.KIND,
        recogniser.KIND,
        tagger.KIND,
        classifier.KIND,
        frame_classifier.KIND,
        vector_classifier.KIND,
    )
}
