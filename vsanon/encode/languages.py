"""Languages of streams: which codes mean one, and which of them QuickTime knows."""

# QuickTime knows the languages of the classic Mac OS, by one of their two ISO 639-2 codes: ffmpeg's table.
QUICKTIME_LANGUAGES = {
    "deu": "ger", "fre": "fra", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi", "sqi": "alb",
    "rum": "ron", "cze": "ces", "slo": "slk", "mkd": "mac", "hye": "arm", "kat": "geo", "bod": "tib",
    "mya": "bur", "msa": "may", "cym": "wel", "eus": "baq",
}  # fmt: skip


def same_language(a: str | None, b: str | None) -> bool:
    """Whether two ISO 639-2 codes mean one language: deu and ger do."""
    return QUICKTIME_LANGUAGES.get(a or "", a) == QUICKTIME_LANGUAGES.get(b or "", b)
