"""What can break, and how each door says so.

Expected refusals are values (`Decision`, `CheckResult`); a broken promise raises one of
these. Messages name the thing, the place and the remedy, never personal data.

Source: exit codes of sysexits.h; HTTP problem details of RFC 9457.
"""

from __future__ import annotations

from typing import ClassVar


class HubError(Exception):
    """Base of every error the hub raises on purpose.

    Args:
        message: what is wrong and what to do, free of personal data.
        findings: every single finding where one error gathers several.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "The hub could not do this"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, findings: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.findings = findings

    def __str__(self) -> str:
        return "\n  - ".join((self.message, *self.findings))


class ConfigError(HubError):
    """The installation is not fit to run: settings, keys, folders."""

    code = "config"
    title = "The hub is not set up for this"
    exit_code = 78


class KeyMissing(ConfigError):
    """A sealed value names a key version that the keyring does not hold."""

    code = "key-missing"
    title = "A key is missing"


class RequestError(HubError):
    """The caller asked for something that cannot be understood."""

    code = "request"
    title = "The request cannot be understood"
    status = 400
    exit_code = 64


class NotFound(HubError):
    """There is no such thing, or its existence is protected from this actor."""

    code = "not-found"
    title = "Not found"
    status = 404
    exit_code = 66


class Unauthenticated(HubError):
    """The actor could not be established."""

    code = "unauthenticated"
    title = "Sign in first"
    status = 401
    exit_code = 77


class AccessDenied(HubError):
    """The actor is known and may not; the message carries the decision's reason."""

    code = "access-denied"
    title = "Not permitted"
    status = 403
    exit_code = 77


class TooMuch(HubError):
    """The actor may, but not as much of it as this; the message says when it may be asked again."""

    code = "too-much"
    title = "Too much in too short a time"
    status = 429
    exit_code = 75


class ContractError(HubError):
    """A contract is not valid; `findings` holds every finding with file and line."""

    code = "contract"
    title = "The data contract is not valid"
    status = 422
    exit_code = 65


class DeliveryRefused(HubError):
    """A delivery is refused whole; nothing but its raw bytes in landing is kept."""

    code = "delivery-refused"
    title = "The delivery is refused"
    status = 422
    exit_code = 65


class PolicyError(HubError):
    """A policy does not lint; it is not activated and the former one stays."""

    code = "policy"
    title = "The access policy is not valid"
    status = 422
    exit_code = 65


class PolicyUnavailable(HubError):
    """The policy in force cannot be read; nobody is shown anything until it can."""

    code = "policy-unavailable"
    title = "The access policy is not available"
    status = 503
    exit_code = 69


class ClockDistrusted(HubError):
    """The clock disagrees with the ledger or with itself; nobody is shown anything until it does not."""

    code = "clock"
    title = "The clock cannot be trusted"
    status = 503


class SourceError(HubError):
    """Another system or file could not be read; `retryable` says whether to try again."""

    code = "source"
    title = "A source cannot be read"
    status = 502
    exit_code = 69

    def __init__(
        self, message: str, *, retryable: bool = False, findings: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, findings=findings)
        self.retryable = retryable


class LedgerError(HubError):
    """The ledger cannot record; whatever depends on it does not happen."""

    code = "ledger"
    title = "The ledger is not available"
    status = 503


class TamperDetected(LedgerError):
    """What was read cannot have been written by the ledger. Fatal, never retried."""

    code = "tamper"
    title = "The ledger has been tampered with"
