"""Outbox: one period's files of all departments, open while the district is generated.

Which department sends what, in which format and encoding, with which headers: some use the
contract's own titles, some their system's, as the contract's source maps foresee.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assets.demo.columns import Column
from assets.demo.files import (
    CsvFile,
    JsonLinesFile,
    ParquetFile,
    Writer,
    digest,
    write_manifest,
)
from assets.demo.workbook import XlsxFile
from contracts.loader import load_contracts
from contracts.model import Contract


@dataclass(frozen=True, slots=True)
class Form:
    """How a department writes a dataset.

    Args:
        aliases: whether the headers are its own system's instead of the contract's titles.
        numeric: columns a spreadsheet or JSON holds as numbers.
    """

    format: str
    encoding: str
    aliases: bool = False
    numeric: tuple[str, ...] = ()


# In an order in which whatever is referred to comes first.
FORMS: Mapping[str, Form] = {
    "address.standard_address": Form("csv", "utf-8-sig"),
    "population.resident": Form("csv", "gb18030"),
    "housing.dwelling": Form("csv", "gb18030", aliases=True),
    "housing.tenancy": Form("csv", "utf-8-sig"),
    "enterprise.unit": Form(
        "jsonl", "utf-8", aliases=True, numeric=("employees", "registered_capital_wan")
    ),
    "civil_affairs.death": Form("csv", "gb18030"),
    "civil_affairs.marriage": Form("parquet", "binary", aliases=True),
    "civil_affairs.assistance": Form("xlsx", "binary", numeric=("members", "monthly_amount_yuan")),
    "civil_affairs.disability": Form("xlsx", "binary"),
    "police.incident": Form("jsonl", "utf-8", aliases=True),
    "police.case": Form("csv", "gb18030"),
    "police.dispute": Form("csv", "utf-8-sig"),
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file a department would put into the drop folder, and its manifest."""

    partner: str
    dataset: str
    period: str
    path: Path
    manifest: Path
    rows: int
    format: str
    encoding: str
    mode: str
    sha256: str


def headers_of(contract: Contract, form: Form) -> dict[str, str]:
    """Return column -> header, in contract order."""
    headers = {item.name: item.title for item in contract.properties}
    if form.aliases:
        for source in contract.sources:
            headers.update(
                {column: alias for alias, column in reversed(list(source.headers.items()))}
            )
    return headers


class Outbox:
    """The open files of one period.

    Args:
        folder: where OUT/PARTNER/DATASET/FILE goes.
        suffix: appended to the file names, e.g. "-r2" for a corrected delivery.
    """

    def __init__(
        self, folder: Path, period: str, datasets: Sequence[str], suffix: str = ""
    ) -> None:
        contracts = {contract.name: contract for contract in load_contracts()}
        self._period = period
        self._contracts = {name: contracts[name] for name in FORMS if name in datasets}
        self._paths = {n: self._path(folder, c, suffix) for n, c in self._contracts.items()}
        self._writers = {n: _open(self._paths[n], c) for n, c in self._contracts.items()}
        self._rows = dict.fromkeys(self._contracts, 0)

    @property
    def files(self) -> dict[str, str]:
        """File name per dataset."""
        return {name: path.name for name, path in self._paths.items()}

    def _path(self, folder: Path, contract: Contract, suffix: str) -> Path:
        place = folder / contract.owner / contract.name
        place.mkdir(parents=True, exist_ok=True)
        stem = contract.name.replace(".", "-")
        return place / f"{stem}-{self._period}{suffix}.{FORMS[contract.name].format}"

    def write(self, dataset: str, columns: Mapping[str, Column]) -> None:
        """Append rows to a dataset's file."""
        self._rows[dataset] += len(next(iter(columns.values())))
        self._writers[dataset].write(columns)

    def __enter__(self) -> Outbox:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of files that were not finished; without a manifest nobody takes them up."""
        self._close()

    def _close(self) -> None:
        while self._writers:
            self._writers.popitem()[1].close()

    def finish(self) -> tuple[Delivery, ...]:
        """Finish the files, write their manifests, and return what was made."""
        self._close()
        return tuple(self._delivery(name) for name in self._contracts)

    def _delivery(self, name: str) -> Delivery:
        contract, path, form = self._contracts[name], self._paths[name], FORMS[name]
        facts = {
            "dataset": name,
            "period": self._period,
            "format": form.format,
            "encoding": form.encoding,
            "sha256": digest(path),
            "rows": self._rows[name],
            "mode": contract.dataset.mode,
        }
        manifest = write_manifest(path, facts)
        return Delivery(
            contract.owner,
            name,
            self._period,
            path,
            manifest,
            self._rows[name],
            form.format,
            form.encoding,
            contract.dataset.mode,
            str(facts["sha256"]),
        )


def _open(path: Path, contract: Contract) -> Writer:
    form = FORMS[contract.name]
    headers = headers_of(contract, form)
    if form.format == "csv":
        return CsvFile(path, headers, form.encoding)
    if form.format == "jsonl":
        return JsonLinesFile(path, headers, form.numeric)
    if form.format == "parquet":
        dates = [item.name for item in contract.properties if item.logical_type == "date"]
        return ParquetFile(path, headers, dates)
    return XlsxFile(path, headers, form.numeric, f"明镜区{contract.title}台账")
