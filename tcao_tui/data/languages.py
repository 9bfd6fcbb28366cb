"""What languages rows are written in: a guess by script and, for Latin script, by frequent words. No model, no proof.

Short answers, code and numbers have no language; they are left out. Rows beyond a bound are sampled evenly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tcao_tui.data.row_text import RowText

ROWS_LOOKED_AT = 2_000
"""An estimate from so many rows is off by less than 2.2 percentage points in 19 of 20 cases."""

NO_LANGUAGE = "no language"
OTHER_LATIN = "Latin script"
_UNCLEAR = {NO_LANGUAGE, OTHER_LATIN}

_CHARACTERS = 2_000
_LETTERS_NEEDED = 2
_HITS_NEEDED, _HIT_SHARE = 2, 0.1
_WORDS_OF_A_TEXT = 10
"""In running text a third of the words are frequent ones, in formulas far fewer."""

_WORD = re.compile(r"[^\W\d_]+")

_FREQUENT = {
    "English": (
        "the of and to is that in it for was with you this are be have has had not what how from which each "
        "many does on at by as he she they we his her their there more than will would can if so or an but do "
        "all been when who"
    ),
    "German": (
        "der die das und ist nicht ein eine einen zu mit auf für von den dem des sich auch wie wird sind ich "
        "wir oder es im er sie bei aus nach war haben hat kann wenn aber nur noch als über zum zur"
    ),
    "French": (
        "le la les des et est une un dans que qui pour pas sur au aux avec ce il elle vous nous sont du cette "
        "de en ne plus par se son sa ses ont été être fait mais ou où"
    ),
    "Spanish": (
        "el la los las que y una un por con para es del se como más pero está su sus lo cuál cuántos qué son "
        "de en no al le ha muy sin sobre también hay si ser este esta entre"
    ),
    "Italian": (
        "il di che è non una un per sono con gli della del nel anche come più questo questa si alla ha la le "
        "lo dei delle in ma se da al quanto essere"
    ),
    "Portuguese": (
        "o os não uma um em com para mais como do da que é são ao você seu sua foi mas de no na por se dos "
        "das quando muito também pelo ele ela isso"
    ),
    "Dutch": (
        "het een van niet en de dat op te zijn is voor met aan ook maar wordt hoe deze ik naar er in om als "
        "bij of uit wat heeft hebben kan dan"
    ),
    "Polish": "nie jest się na że do jak to czy po ale przez są dla co które z w i o od tak za tym tego jego może",
    "Turkish": "bir ve bu için çok ne ile değil olarak daha mı var gibi olan da de o ya ki sonra kadar en her",
    "Swedish": "och att det är som på en för av inte den med har jag ett till om var sig men de så kan från vi",
    "Danish": "og det er ikke på at en til af jeg den med har der som for de et var men han om sig kan fra vi",
    "Indonesian": (
        "yang dan di untuk dengan ini itu dari adalah tidak pada dalam akan ke oleh juga ada atau saya mereka"
    ),
    "Vietnamese": "là và của có không được cho một các những trong với này để người đã khi từ về",
}

_SCRIPTS = {
    "Japanese": "\u3040-\u30ff",
    "Korean": "\u1100-\u11ff\uac00-\ud7af",
    "Chinese": "\u3400-\u4dbf\u4e00-\u9fff",
    "Ukrainian": "іїєґІЇЄҐ",
    "Russian": "\u0400-\u04ff",
    "Persian": "پچژگی",
    "Arabic": "\u0600-\u06ff",
    "Hebrew": "\u0590-\u05ff",
    "Greek": "\u0370-\u03ff",
    "Hindi": "\u0900-\u097f",
    "Bengali": "\u0980-\u09ff",
    "Tamil": "\u0b80-\u0bff",
    "Telugu": "\u0c00-\u0c7f",
    "Thai": "\u0e00-\u0e7f",
    "Georgian": "\u10a0-\u10ff",
    "Armenian": "\u0530-\u058f",
}
"""Characters that only this language uses, the narrower sets before those that contain them."""

_MAIN_SHARE = 0.4
"""Letters of a script that make a text one of it."""

_MARKING_SHARE = {"Japanese": 0.05, "Ukrainian": 0.02, "Persian": 0.02}
"""Languages that share most letters with one further down the table need only so many of their own."""


class LanguageGuesser:
    """Shares of languages over an evenly spaced sample of rows.

    Args:
        limit: Rows in the sample; when there are more, every second one is dropped again and again.
    """

    def __init__(self, limit: int = ROWS_LOOKED_AT) -> None:
        self._limit = limit
        self._stride = 1
        self._seen = 0
        self._found: list[tuple[str, str, int]] = []
        self._scripts = {name: re.compile(f"[{characters}]") for name, characters in _SCRIPTS.items()}
        self._languages: dict[str, list[str]] = {}
        for name, words in _FREQUENT.items():
            for word in words.split():
                self._languages.setdefault(word, []).append(name)

    def add(self, rows: Sequence[RowText]) -> None:
        """Take in the next rows."""
        for row in rows:
            if self._seen % self._stride == 0:
                self._found.append((self.language(row.prompt), self.language(row.answer), row.line))
                if len(self._found) > self._limit:
                    self._found, self._stride = self._found[::2], self._stride * 2
            self._seen += 1

    def shares(self) -> dict[str, float]:
        """Share of rows by language, largest first; that of the prompt where the answer's is not clear.

        Rows whose language is not clear at all are left out, so that shares may sum to less than 1.
        """
        counts = Counter(prompt if answer in _UNCLEAR else answer for prompt, answer, _ in self._found)
        return {name: count / len(self._found) for name, count in counts.most_common() if name not in _UNCLEAR}

    def mismatches(self) -> tuple[float, int]:
        """Share of rows whose answer is in another language than the prompt, and the line of the first one, or 0."""
        known = [(p, a, line) for p, a, line in self._found if not {p, a} & _UNCLEAR]
        lines = [line for prompt, answer, line in known if prompt != answer]
        return len(lines) / max(1, len(self._found)), min(lines, default=0)

    def language(self, text: str) -> str:
        """The language that a text seems to be written in."""
        text = text[:_CHARACTERS]
        letters = sum(map(str.isalpha, text))
        if letters < _LETTERS_NEEDED:
            return NO_LANGUAGE
        if not text.isascii():
            for name, characters in self._scripts.items():
                if len(characters.findall(text)) >= letters * _MARKING_SHARE.get(name, _MAIN_SHARE):
                    return name
        return self._by_words(set(_WORD.findall(text.lower())))

    def _by_words(self, words: set[str]) -> str:
        hits = Counter(name for word in words for name in self._languages.get(word, ()))
        best, second = [*hits.most_common(2), ("", 0), ("", 0)][:2]
        enough = max(_HITS_NEEDED, _HIT_SHARE * len(words))
        if best[1] >= enough and best[1] > second[1]:
            return best[0]
        return OTHER_LATIN if len(words) >= _WORDS_OF_A_TEXT else NO_LANGUAGE
