"""Search in Korean: particles stick to words (손실을, 손실이), so pairs of syllables are indexed and looked for."""

from __future__ import annotations

import re
from typing import Any

from sphinx.search import SearchLanguage
from sphinx.search.en import SearchEnglish

WORD = re.compile(r"[가-힣]+|[^\W가-힣]+")


class SearchKorean(SearchLanguage):
    """Pairs of syllables for Korean, whole stemmed words for everything else, in the index and in the browser alike."""

    lang = "ko"
    language_name = "English"  # whose stemmer the browser takes
    js_stemmer_rawcode = SearchEnglish.js_stemmer_rawcode
    js_splitter_code = """
function splitQuery(query) {
  const words = query.match(/[가-힣]+|(?:(?![가-힣])[\\p{Letter}\\p{Number}_])+/gu) || [];
  return words.flatMap((word) => {
    if (!/[가-힣]/.test(word) || word.length < 3) return [word];
    return Array.from({ length: word.length - 1 }, (_, i) => word.slice(i, i + 2));
  });
}
"""

    def __init__(self, options: dict[str, str]) -> None:
        super().__init__(options)
        self.english = SearchEnglish(options)

    def split(self, text: str) -> list[str]:
        """Words; of Korean ones pairs of syllables and the first one: 손실을 is 손실, 실을, 손; 층 finds 층을."""
        found = WORD.findall(text)
        return [piece for word in found for piece in pieces(word)] + [
            word[0] for word in found if "가" <= word[0] <= "힣"
        ]

    def stem(self, word: str) -> str:
        """English words lose their endings."""
        return word if "가" <= word[0] <= "힣" else self.english.stem(word)

    def word_filter(self, word: str) -> bool:
        """Numbers are not indexed."""
        return not word.isdigit()


def pieces(word: str) -> list[str]:
    """A word as it is looked for."""
    if not "가" <= word[0] <= "힣" or len(word) < 3:
        return [word]
    return [word[i : i + 2] for i in range(len(word) - 1)]


def setup(app: Any) -> dict[str, bool]:
    """Let Sphinx know the language."""
    app.add_search_language(SearchKorean)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
