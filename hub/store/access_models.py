"""Tables of the operational records about access: policies, grants, emergencies, cases, seals.

What somebody did stands in `access_step`, an outbox; what state any of them is in
follows from its steps and the clock, and is kept nowhere. Subjects and cases are keyed names only,
of keys that serve no other purpose, so that these rows cannot be joined with the ledger's labels.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.store.models import Base, StepColumns

_DIGEST = String(64)
_KEYED = String(64)  # keyed name, hexadecimal
_REASON = String(500)


class PolicyVersionRow(Base):
    """The text of every policy file of one version; never changed."""

    __tablename__ = "policy_version"

    digest: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    files: Mapped[dict[str, Any]]  # name -> text
    made_at: Mapped[datetime]


class PolicyChangeRow(Base):
    """A version put forward to take the place of another; the first has none to replace."""

    __tablename__ = "policy_change"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    digest: Mapped[str] = mapped_column(_DIGEST, ForeignKey("policy_version.digest"))
    base_digest: Mapped[str | None] = mapped_column(_DIGEST)
    why: Mapped[str] = mapped_column(_REASON)
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]


class AccessStepRow(StepColumns, Base):
    """What somebody did about one of the kinds of `hub.store.access_steps.About`.

    `about` says which of them, `name` is its name there; the reason is told to no ledger.
    """

    __tablename__ = "access_step"
    __table_args__ = (UniqueConstraint("about", "name", "step_key", name="access_step_once"),)

    about: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(_KEYED)
    key: Mapped[str] = mapped_column("step_key", String(60))
    by: Mapped[str] = mapped_column("actor")
    at: Mapped[datetime]
    active_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(_REASON)


class AccessGrantRow(Base):
    """A permission beyond the policy's rules, for a time; `uses_left` is None where uses are free."""

    __tablename__ = "access_grant"
    __table_args__ = (Index("access_grant_valid", "valid_to"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    agency: Mapped[str]
    role: Mapped[str]
    purpose: Mapped[str]
    actions: Mapped[list[str]]
    columns: Mapped[dict[str, Any]]  # dataset -> [column]
    area: Mapped[list[str]]
    case_name: Mapped[str | None] = mapped_column(_KEYED)
    basis: Mapped[str] = mapped_column(_REASON)
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    uses_left: Mapped[int | None]


class EmergencyRow(Base):
    """A mask to be lifted for one person, or an emergency for a few; `kind` says which."""

    __tablename__ = "emergency"
    __table_args__ = (Index("emergency_actor", "actor", "review_by"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str]
    person: Mapped[str] = mapped_column(_KEYED)
    agency: Mapped[str]
    purpose: Mapped[str]
    case_name: Mapped[str] = mapped_column(_KEYED)
    columns: Mapped[dict[str, Any]]  # dataset -> [column]
    subject: Mapped[bytes | None] = mapped_column(LargeBinary)
    persons_max: Mapped[int]
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    review_by: Mapped[datetime]


class SealOrderRow(Base):
    """That uses for some purposes and one case are kept from their subjects; never deleted."""

    __tablename__ = "seal_order"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    ground: Mapped[str] = mapped_column(String(40))
    agency: Mapped[str]
    purposes: Mapped[list[str]]
    case_name: Mapped[str] = mapped_column(_KEYED)


class SealTermRow(Base):
    """For how long: the order's own term is number 0, each renewal the next; never deleted."""

    __tablename__ = "seal_term"

    seal: Mapped[int] = mapped_column(ForeignKey("seal_order.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(_KEYED)
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]


class ErasureRow(Base):
    """Entries of the ledger that somebody wants forgotten, by position, and on what ground."""

    __tablename__ = "erasure"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    ground: Mapped[str] = mapped_column(String(40))
    agency: Mapped[str]
    person: Mapped[str] = mapped_column(_KEYED)
    entries: Mapped[list[int]] = mapped_column(JSON)


class CaseFileRow(Base):
    """A case somebody may refer to, from its opening until it is closed."""

    __tablename__ = "case_file"

    name: Mapped[str] = mapped_column(_KEYED, primary_key=True)
    agency: Mapped[str]
    purposes: Mapped[list[str]]
    opened_at: Mapped[datetime]
    closes_at: Mapped[datetime]


class CaseMemberRow(Base):
    """A person whom a case is about."""

    __tablename__ = "case_member"

    case_name: Mapped[str] = mapped_column(
        _KEYED, ForeignKey("case_file.name", ondelete="CASCADE"), primary_key=True
    )
    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class ProtectedRow(Base):
    """A person of the register of protected persons; `until` is None while there is no end."""

    __tablename__ = "protected"

    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    by: Mapped[str] = mapped_column("registered_by")


class PrivacySpendRow(Base):
    """What one noised answer took of the privacy budget of a dataset in a period."""

    __tablename__ = "privacy_spend"
    __table_args__ = (Index("privacy_spend_period", "dataset", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    actor: Mapped[str]
    dataset: Mapped[str]
    period: Mapped[str] = mapped_column(String(20))
    epsilon_millis: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
