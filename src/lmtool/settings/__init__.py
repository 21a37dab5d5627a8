"""Settings: frozen dataclasses whose fields say all that is to say of an option; no numpy here.

``None`` means "follow the corpus": ``training.plan`` replaces it before training starts, so a
model file never holds a ``None``.
"""

from lmtool.settings.adaptation import AdaptSettings
from lmtool.settings.classifier import ClassifierSettings, FrameSettings, VectorSettings
from lmtool.settings.conditional import CaptionerSettings, TranslatorSettings
from lmtool.settings.duration import in_seconds
from lmtool.settings.fields import Option, checked, declared
from lmtool.settings.inference import (
    BASES,
    CONTEXTS,
    LEVELS,
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
from lmtool.settings.tagger import TaggerSettings
from lmtool.settings.training import CHECKPOINT_EVERY, TrainSettings, without_foreign

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
    "checked",
    "declared",
    "in_seconds",
    "pair_of",
    "refuse_columns",
    "refuse_foreign",
    "without_foreign",
]
