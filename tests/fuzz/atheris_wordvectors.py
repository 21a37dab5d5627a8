"""Coverage-guided: python -m tests.fuzz.atheris_wordvectors FOLDER -runs=100000 (extra fuzz)."""

from tests.fuzz.guided import fuzz

if __name__ == "__main__":
    fuzz("wordvectors")
