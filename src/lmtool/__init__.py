"""lmtool: recurrent sequence models on ordinary CPUs.

``lmtool.train(corpus)`` and ``lmtool.load(path)`` give a ``Model`` that scores, samples,
evaluates and predicts; ``lmtool.train(table, writes="label")`` a ``Classifier`` that labels texts,
``writes="tags"`` a ``Tagger`` of their words; ``reads="text"`` alone a ``Translator``,
``reads="frames"`` a ``Recogniser`` of speech, ``reads="vector"`` a ``Captioner``. With labels,
``"frames"`` and ``"vector"`` read no text.
Importing lmtool loads nothing heavy; numpy comes with the first use.
"""

from typing import TYPE_CHECKING

from lmtool._version import __version__
from lmtool.errors import (
    ConfigError,
    InputError,
    InterruptionError,
    LmtoolError,
    ModelFileError,
    OptionError,
    TrainingError,
)
from lmtool.lazily import attributes

if TYPE_CHECKING:
    from lmtool.api import (
        Captioner,
        Classifier,
        Model,
        Recogniser,
        Tagger,
        Translator,
        WordEmbedding,
        bleu,
        compare,
        gradcheck,
        load,
        load_vectors,
        mix,
        plan,
        report,
        rescore,
        resume,
        sentence_bleu,
        train,
        wer,
    )
    from lmtool.settings import (
        AdaptSettings,
        BleuSettings,
        CaptionerSettings,
        ClassifierSettings,
        CompareSettings,
        FrameSettings,
        GradientSettings,
        ModelSettings,
        RecogniserSettings,
        RescoreSettings,
        SampleSettings,
        SearchSettings,
        SurprisalSettings,
        TaggerSettings,
        TextSettings,
        TraceSettings,
        TrainSettings,
        TranscribeSettings,
        TranslatorSettings,
        VectorSettings,
        WordVectorSettings,
    )

__all__ = [
    "AdaptSettings",
    "BleuSettings",
    "Captioner",
    "CaptionerSettings",
    "Classifier",
    "ClassifierSettings",
    "CompareSettings",
    "ConfigError",
    "FrameSettings",
    "GradientSettings",
    "InputError",
    "InterruptionError",
    "LmtoolError",
    "Model",
    "ModelFileError",
    "ModelSettings",
    "OptionError",
    "Recogniser",
    "RecogniserSettings",
    "RescoreSettings",
    "SampleSettings",
    "SearchSettings",
    "SurprisalSettings",
    "Tagger",
    "TaggerSettings",
    "TextSettings",
    "TraceSettings",
    "TrainSettings",
    "TrainingError",
    "TranscribeSettings",
    "Translator",
    "TranslatorSettings",
    "VectorSettings",
    "WordEmbedding",
    "WordVectorSettings",
    "__version__",
    "bleu",
    "compare",
    "gradcheck",
    "load",
    "load_vectors",
    "mix",
    "plan",
    "report",
    "rescore",
    "resume",
    "sentence_bleu",
    "train",
    "wer",
]

__getattr__ = attributes(
    __name__,
    {name: "settings" if name.endswith("Settings") else "api" for name in __all__}
    | {"settings": "settings"},
)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
