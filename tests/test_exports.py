"""The public names: complete, documented, lazy."""

import pydoc

import pytest

import lmtool

NAMES = {
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
}


def test_all_is_complete() -> None:
    assert set(lmtool.__all__) == NAMES
    assert len(lmtool.__all__) == len(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_name_resolves(name: str) -> None:
    assert getattr(lmtool, name) is not None


@pytest.mark.parametrize("name", sorted(NAMES - {"__version__"}))
def test_each_name_says_what_it_is(name: str) -> None:
    assert getattr(lmtool, name).__doc__


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        lmtool.tarin  # noqa: B018


def test_every_error_is_an_lmtool_error() -> None:
    for name in NAMES:
        if name.endswith("Error"):
            assert issubclass(getattr(lmtool, name), lmtool.LmtoolError)


def test_tab_and_help_show_the_public_names() -> None:
    assert set(dir(lmtool)) >= NAMES
    assert [name for name in dir(lmtool) if not name.startswith("_")] == sorted(
        NAMES - {"__version__"}
    )
    text = pydoc.plain(pydoc.render_doc(lmtool))
    assert [name for name in NAMES - {"__version__"} if name not in text] == []
