"""Languages of streams: what is a code of one, which codes mean the same, and which of them QuickTime knows."""

import re

# QuickTime knows the languages of the classic Mac OS, by one of their two ISO 639-2 codes: ffmpeg's table.
QUICKTIME_LANGUAGES = {
    "deu": "ger", "fre": "fra", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi", "sqi": "alb",
    "rum": "ron", "cze": "ces", "slo": "slk", "mkd": "mac", "hye": "arm", "kat": "geo", "bod": "tib",
    "mya": "bur", "msa": "may", "cym": "wel", "eus": "baq",
}  # fmt: skip


_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{3})?(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?")


def is_language(text: str) -> bool:
    """Whether a tag is that of a language, with its script and region (RFC 5646): others hold any text."""
    return _TAG.fullmatch(text) is not None


def same_language(a: str | None, b: str | None) -> bool:
    """Whether two ISO 639-2 codes mean one language: deu and ger do."""
    return QUICKTIME_LANGUAGES.get(a or "", a) == QUICKTIME_LANGUAGES.get(b or "", b)
