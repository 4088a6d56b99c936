"""Settings: read once at a door, passed down as a value.

A setting comes from the caller, else from the environment as `MINGJING_<NAME>`, else from
HOME/hub.toml, else from its default; nothing is read at import.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.errors import ConfigError
from hub.files import write_over

_URL_TEXT = re.compile(r"[!#-\[\]-~]+")  # what a URL may hold and TOML needs no escape for


class Settings(BaseSettings):
    """Where the hub lives and how it runs. See docs/settings.md for each one."""

    model_config = SettingsConfigDict(env_prefix="MINGJING_", frozen=True, extra="forbid")

    home: Path = Field(Path("var"), description="Folder of everything the hub keeps.")
    profile: Literal["demonstration", "production"] = Field(
        "production",
        description="`demonstration` runs the embedded identity provider for invented people.",
    )
    suite: Literal["intl", "gm"] = Field(
        "intl", description="Cryptographic suite of new keys: intl or gm."
    )
    contracts: Path | None = Field(
        None, description="Folder of further contracts; default HOME/contracts."
    )
    policies: Path | None = Field(
        None, description="Folder of policy files of one's own; default HOME/policies."
    )
    passphrase: str | None = Field(
        None, description="Opens the keyring when it was made with one.", repr=False
    )
    memory_limit: str = Field("750MB", description="DuckDB's memory limit for one connection.")
    threads: int = Field(2, ge=1, description="DuckDB's threads for one connection.")
    origin: str = Field(
        "mingjing.example/ledger", description="Name of the ledger in its checkpoints (C2SP)."
    )
    ledger_url: str | None = Field(
        None,
        description="PostgreSQL database of the ledger, without a password; default HOME's file.",
    )
    publish_seconds: float = Field(
        5.0, gt=0, description="Seconds between two looks of the ledger's publisher."
    )
    ledger_max_lag_hours: float = Field(
        24.0,
        gt=0,
        description="Questions about persons are refused once uses wait longer to be made public.",
    )
    settle_seconds: float = Field(
        2.0, ge=0, description="A dropped file without manifest counts as whole after this long."
    )
    ledger_retention_days: int = Field(
        1096, ge=1096, description="So long uses stay in the ledger; three years by law at least."
    )
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    reports: bool = Field(
        True, description="Whether a run has Great Expectations write Data Docs of its verdicts."
    )
    sql_rule_seconds: float = Field(
        60.0, gt=0, description="A contract's rule of type `sql` fails when it takes longer."
    )
    port: int = Field(8020, ge=1, le=65535, description="Port of the API and pages.")
    workers: int = Field(2, ge=1, le=64, description="Processes of the API and pages.")
    dagster_port: int = Field(8021, ge=1, le=65535, description="Port of Dagster's own UI.")

    @field_validator("ledger_url")
    @classmethod
    def _is_database_without_password(cls, url: str | None) -> str | None:
        """Keep passwords out of hub.toml, process lists and whatever prints settings."""
        if url is None:
            return None
        try:
            parts = urlsplit(url)
            secret = parts.password is not None or "password" in parts.query.lower()
        except ValueError:
            raise ValueError("is no postgresql:// URL") from None
        if parts.scheme != "postgresql" or not _URL_TEXT.fullmatch(url):
            raise ValueError("is no postgresql:// URL")
        if secret:
            raise ValueError("holds a password: give that in PGPASSWORD or by PGPASSFILE")
        return url

    @property
    def drop(self) -> Path:
        """Folder partners write to: drop/PARTNER/DATASET/FILE."""
        return self.home / "drop"

    @property
    def landing(self) -> Path:
        """Folder of the sealed raw bytes of every delivery."""
        return self.home / "landing"

    @property
    def work(self) -> Path:
        """Folder of short-lived clear files, mode 0700, swept at the start of every run."""
        return self.home / "work"

    @property
    def feedback(self) -> Path:
        """Folder partners read from: feedback/PARTNER/BATCH.csv."""
        return self.home / "feedback"

    @property
    def samples(self) -> Path:
        """Folder of the worksheets of field samples, mode 0700, until they come back."""
        return self.home / "samples"

    @property
    def exports(self) -> Path:
        """Folder of the sealed files of persons, mode 0700, until they are fetched."""
        return self.home / "exports"

    @property
    def lake(self) -> Path:
        """Folder of the lake: catalogue and Parquet files."""
        return self.home / "lake"

    @property
    def serving(self) -> Path:
        """Folder of published snapshots and the pointer to the one in service."""
        return self.home / "serving"

    @property
    def records(self) -> Path:
        """File of the operational records."""
        return self.home / "records.sqlite"

    @property
    def ledger(self) -> Path:
        """File of the ledger, where it is not in the database of `ledger_url`."""
        return self.home / "ledger.sqlite"

    @property
    def ledger_folder(self) -> Path:
        """Folder of what follows from the ledger: public files, index, bulk disclosures."""
        return self.home / "ledger"

    @property
    def ledger_public(self) -> Path:
        """Folder of the ledger's public files, for any web server or mirror."""
        return self.ledger_folder / "public"

    @property
    def ledger_former(self) -> Path:
        """Folder of the ledgers before the present one."""
        return self.ledger_folder / "former"

    @property
    def ledger_memory(self) -> Path:
        """File of what verifications of the ledger remember."""
        return self.ledger_folder / "verify.json"

    @property
    def ledger_runs(self) -> Path:
        """Folder of the ledger's index, private."""
        return self.ledger_folder / "runs"

    @property
    def ledger_bulk(self) -> Path:
        """Folder of the tokens of bulk disclosures, private."""
        return self.ledger_folder / "bulk"

    @property
    def witness_policy(self) -> Path:
        """File that says which witnesses must cosign (C2SP tlog-policy)."""
        return self.home / "witness.policy"

    @property
    def usage(self) -> Path:
        """File of the counters of use."""
        return self.home / "usage.sqlite"

    @property
    def keyring(self) -> Path:
        """File of the keys, mode 0600."""
        return self.home / "keyring.json"

    @property
    def calendar(self) -> Path:
        """File of this hub's own holidays and shifted working days."""
        return self.home / "calendar.csv"

    @property
    def card_rules(self) -> Path:
        """File of this hub's own thresholds of quality cards."""
        return self.home / "cards.toml"

    @property
    def dagster_home(self) -> Path:
        """Folder Dagster keeps its runs and event log in."""
        return self.home / "dagster"

    @property
    def data_docs(self) -> Path:
        """Folder Great Expectations writes Data Docs to."""
        return self.home / "docs"

    @property
    def contract_folders(self) -> tuple[Path, ...]:
        """Folders of contracts beside the built-in ones."""
        return (self.contracts or self.home / "contracts",)

    @property
    def policy_folder(self) -> Path | None:
        """Folder of policy files that replace the built-in ones by name, None when there is none."""
        own = self.home / "policies"
        return self.policies or (own if own.is_dir() else None)


def load_settings(**overrides: object) -> Settings:
    """Read settings: the caller's, then the environment's, then those of HOME/hub.toml.

    Raises:
        ConfigError: names every setting that does not fit and why.
    """
    given: dict[str, Any] = {name: v for name, v in overrides.items() if v is not None}
    try:
        settings = Settings(**given)
        filed = _filed(settings.home / "hub.toml")
        if filed.get("profile", settings.profile) != settings.profile and "profile" in (
            settings.model_fields_set
        ):
            raise ConfigError(
                f"this hub was made with profile {filed['profile']}; that is for life, so that "
                "nobody opens a production hub with the demonstration's sign-in"
            )
        known = settings.model_fields_set
        return Settings(**{k: v for k, v in filed.items() if k not in known}, **given)
    except ValidationError as exc:
        findings = tuple(
            f"{'_'.join(map(str, e['loc'])).lower()}: {e['msg']}" for e in exc.errors()
        )
        raise ConfigError("settings do not fit", findings=findings) from exc


def save_settings(settings: Settings) -> None:
    """Write the settings that a hub keeps for life to HOME/hub.toml."""
    kept = ("profile", "suite", "origin", "ledger_url", "host", "port", "dagster_port")
    lines = ["# Settings of this hub; the environment (MINGJING_...) comes first."]
    for name in kept:
        value = getattr(settings, name)
        if value is None:
            continue
        lines.append(f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"')
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_over(settings.home / "hub.toml", ("\n".join(lines) + "\n").encode())


def _filed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{path.name} cannot be read as TOML: mend or remove it") from exc
