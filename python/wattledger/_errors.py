"""Exceptions: one base, and Python's own words where it has them, so that ordinary ``except`` clauses work."""


class WattledgerError(Exception):
    """Anything that goes wrong here.

    Attributes:
        code: Stable name of the error, the same in Rust, Python and JSON.
        hint: The way out, or ``None``.

    """

    code: str
    hint: str | None

    def __init__(self, message: str, code: str = "argument", hint: str | None = None) -> None:
        """Keep the sentence, the code and the hint."""
        super().__init__(message)
        self.code = code
        self.hint = hint

    def __str__(self) -> str:
        """Return the sentence and, on a line of its own, the hint."""
        sentence = str(self.args[0])
        return f"{sentence}\nhint: {self.hint}" if self.hint else sentence


class InputError(WattledgerError, ValueError):
    """A log, a column or an argument cannot be read."""


class InputNotFoundError(WattledgerError, FileNotFoundError):
    """A file or folder does not exist."""


class InputAccessError(WattledgerError, OSError):
    """The operating system refuses to read or write."""


class UnknownNameError(WattledgerError, LookupError):
    """A name means nothing, or more than one thing."""


class FleetError(WattledgerError, ValueError):
    """A fleet file cannot be understood or contradicts itself."""


class LedgerError(WattledgerError, ValueError):
    """Ledgers cannot be added."""


class CatalogError(WattledgerError, ValueError):
    """A catalog row breaks a rule."""


class MissingExtraError(WattledgerError, ImportError):
    """A library of an extra is not installed."""


class SumOverflowError(WattledgerError, OverflowError):
    """A sum does not fit its integer."""
