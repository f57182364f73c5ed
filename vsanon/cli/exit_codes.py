"""What each exit code of the commands says; `--help` and docs/command-line.md take their wording from here."""

EXIT_CODES = {
    "0": "done and verified",
    "1": "a check failed or a run broke off, and nothing was delivered",
    "2": "the usage, the input or the settings are wrong",
    "3": "something that this machine needs is missing: a model, a program, an extra, memory",
    "128 + n": "stopped by signal n, 130 for Ctrl-C and 143 for SIGTERM, and nothing was delivered",
}
"""A `VsanonError` says which of them it stands for, and `stops.Stopped` which signal."""


def sentence() -> str:
    """All of them, as the help of `vsanon` says them."""
    return "Exit codes: " + "; ".join(f"{code}: {said}" for code, said in EXIT_CODES.items()) + "."
