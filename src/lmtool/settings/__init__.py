"""Settings: frozen dataclasses whose fields say all that is to say of an option; no numpy here.

A file of them is imported when one of its names is asked for.

``None`` means "follow the corpus": ``training.plan`` replaces it before training starts, so a
model file never holds a ``None``.
"""

from typing import TYPE_CHECKING

from lmtool.lazily import attributes

if TYPE_CHECKING:
    from lmtool.settings.adaptation import AdaptSettings
    from lmtool.settings.classifier import ClassifierSettings, FrameSettings, VectorSettings
    from lmtool.settings.conditional import CaptionerSettings, TranslatorSettings
    from lmtool.settings.duration import in_seconds
    from lmtool.settings.fields import Option, checked, declared
    from lmtool.settings.inference import (
        BleuSettings,
        CompareSettings,
        HearSettings,
        RescoreSettings,
        SampleSettings,
        SearchSettings,
        SurprisalSettings,
        TranscribeSettings,
    )
    from lmtool.settings.inside import GradientSettings, TraceSettings
    from lmtool.settings.network import ModelSettings, TextSettings
    from lmtool.settings.pairs import (
        PAIRS,
        READS,
        WRITES,
        Pairing,
        pair_of,
        refuse_columns,
        refuse_foreign,
    )
    from lmtool.settings.recogniser import RecogniserSettings
    from lmtool.settings.shared import BASES, CHECKPOINT_EVERY, CONTEXTS, LEVELS
    from lmtool.settings.tagger import TaggerSettings
    from lmtool.settings.training import TrainSettings, without_foreign
    from lmtool.settings.word_vectors import WordVectorSettings

__all__ = [
    "BASES",
    "CHECKPOINT_EVERY",
    "CONTEXTS",
    "LEVELS",
    "PAIRS",
    "READS",
    "WRITES",
    "AdaptSettings",
    "BleuSettings",
    "CaptionerSettings",
    "ClassifierSettings",
    "CompareSettings",
    "FrameSettings",
    "GradientSettings",
    "HearSettings",
    "ModelSettings",
    "Option",
    "Pairing",
    "RecogniserSettings",
    "RescoreSettings",
    "SampleSettings",
    "SearchSettings",
    "SurprisalSettings",
    "TaggerSettings",
    "TextSettings",
    "TraceSettings",
    "TrainSettings",
    "TranscribeSettings",
    "TranslatorSettings",
    "VectorSettings",
    "WordVectorSettings",
    "checked",
    "declared",
    "in_seconds",
    "pair_of",
    "refuse_columns",
    "refuse_foreign",
    "without_foreign",
]

HOMES = {
    "adaptation": ("AdaptSettings",),
    "classifier": ("ClassifierSettings", "FrameSettings", "VectorSettings"),
    "conditional": ("CaptionerSettings", "TranslatorSettings"),
    "duration": ("in_seconds",),
    "fields": ("Option", "checked", "declared"),
    "inference": (
        "BleuSettings",
        "CompareSettings",
        "HearSettings",
        "RescoreSettings",
        "SampleSettings",
        "SearchSettings",
        "SurprisalSettings",
        "TranscribeSettings",
    ),
    "inside": ("GradientSettings", "TraceSettings"),
    "network": ("ModelSettings", "TextSettings"),
    "pairs": ("PAIRS", "READS", "WRITES", "Pairing", "pair_of", "refuse_columns", "refuse_foreign"),
    "recogniser": ("RecogniserSettings",),
    "shared": ("BASES", "CHECKPOINT_EVERY", "CONTEXTS", "LEVELS"),
    "tagger": ("TaggerSettings",),
    "training": ("TrainSettings", "without_foreign"),
    "word_vectors": ("WordVectorSettings",),
}

__getattr__ = attributes(__name__, {name: home for home, names in HOMES.items() for name in names})
