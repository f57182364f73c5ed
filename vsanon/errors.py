"""The exception tree: every error that vsanon raises on purpose, and the exit code it stands for."""


class VsanonError(Exception):
    """Base of all errors; the message says what, where, what was expected and what to do."""

    exit_code = 2


class InputError(VsanonError):
    """The user's input, settings or files can't be used as they are (exit code 2)."""


class TrackFileError(InputError):
    """A track file is damaged, of another version, or of another clip (exit code 2)."""


class MissingError(VsanonError):
    """Something that this machine needs is missing: a model, a program, an extra (exit code 3)."""

    exit_code = 3


class ModelError(MissingError):
    """A model file is missing, is not the file its card names, or does not fit its family (exit code 3)."""


class CheckError(VsanonError):
    """A check failed or a run broke off; nothing was delivered (exit code 1)."""

    exit_code = 1


class EncodeError(CheckError):
    """ffmpeg failed or wrote something other than what was sent to it (exit code 1)."""
