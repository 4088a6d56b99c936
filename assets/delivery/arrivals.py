"""What has arrived in the drop folder: which files are whole, which wait, which are unfit.

Nothing is opened here but manifests, and nothing that is not a plain file is touched: a
symbolic link, pipe or device in the drop folder could lead anywhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assets.delivery.limits import DEFAULT_LIMITS, Limits
from contracts.model import Contract
from hub.config import Settings
from hub.errors import DeliveryRefused, RequestError
from hub.plain import holds_persons_number
from hub.store.drop import (
    MANIFEST_BYTES,
    MANIFEST_SUFFIX,
    Manifest,
    is_code,
    is_dataset_name,
    manifest_path,
)

UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A whole file in the drop folder.

    Args:
        partner: code from its folder, or "unrecognised" when that is not even a code.
        dataset: name from its folder, or "unrecognised".
        manifest: what was promised; empty promises when there is no manifest.
        refusal: why it is refused before it is read, or None.
        settled: True when the file has not changed for the settling time.
    """

    path: Path
    partner: str
    dataset: str
    settled: bool
    manifest: Manifest | None = None
    refusal: DeliveryRefused | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """Something in the drop folder that is not read at all; it stays where it is."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """One look at the drop folder; `waiting` counts files that are still arriving."""

    ready: tuple[Dropped, ...] = ()
    waiting: int = 0
    unfit: tuple[Unfit, ...] = ()


def scan(
    settings: Settings,
    contracts: Sequence[Contract],
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
) -> Scan:
    """Look at every file of the drop folder, oldest first.

    A file is whole when its manifest is there, or when it has not changed for
    `settings.settle_seconds`.
    """
    known = {contract.name: _partners(contract) for contract in contracts}
    retired = frozenset(contract.name for contract in contracts if contract.is_retired)
    ready: list[tuple[int, Dropped]] = []
    unfit: list[Unfit] = []
    waiting = 0
    for path, depth in _entries(settings.drop):
        status = path.lstat()
        if reason := _unfit(status, depth, limits):
            unfit.append(Unfit(path, reason))
        elif (dropped := _dropped(path, status, known, retired, settings, now)) is None:
            waiting += 1
        else:
            ready.append((status.st_mtime_ns, dropped))
    ready.sort(key=lambda item: (item[0], str(item[1].path)))
    return Scan(tuple(dropped for _, dropped in ready), waiting, tuple(unfit))


def _partners(contract: Contract) -> frozenset[str]:
    return frozenset({contract.owner, *(source.partner for source in contract.sources)})


def _entries(drop: Path) -> Iterator[tuple[Path, int]]:
    """Yield everything that is not a folder on its way to drop/PARTNER/DATASET, with its depth."""
    folders = [(drop, 0)]
    while folders:
        folder, depth = folders.pop()
        for entry in _listing(folder):
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name.startswith(".") or (not is_folder and _is_manifest(entry.name)):
                continue
            if is_folder and depth < 2:
                folders.append((Path(entry.path), depth + 1))
            else:
                yield Path(entry.path), depth


def _listing(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _is_manifest(name: str) -> bool:
    return name.endswith(MANIFEST_SUFFIX)


def _unfit(status: os.stat_result, depth: int, limits: Limits) -> str | None:
    if stat.S_ISDIR(status.st_mode):
        return "a folder inside a dataset's folder is not read: move its files one level up"
    if not stat.S_ISREG(status.st_mode):
        return "only plain files are read, no links, pipes or devices: copy the file itself"
    if depth < 2:
        return "a file outside drop/PARTNER/DATASET is not read: move it into a dataset's folder"
    if status.st_size > limits.file_bytes:
        gib = limits.file_bytes / (1 << 30)
        return f"the file is larger than {gib:g} GiB: deliver it in parts"
    return None


def _dropped(
    path: Path,
    status: os.stat_result,
    known: Mapping[str, frozenset[str]],
    retired: frozenset[str],
    settings: Settings,
    now: datetime,
) -> Dropped | None:
    """Return the file with its promises, or None while it may still be arriving."""
    partner, dataset = path.parent.parent.name, path.parent.name
    place = (
        partner if _is_plain(partner, is_code) else UNRECOGNISED,
        dataset if _is_plain(dataset, is_dataset_name) else UNRECOGNISED,
    )
    settled = _is_settled(status, settings.settle_seconds, now)
    try:
        manifest = _manifest(path)
    except RequestError as exc:
        refusal = DeliveryRefused(exc.message, findings=exc.findings)
        return Dropped(path, *place, settled, refusal=refusal) if settled else None
    if manifest is None and not settled:
        return None
    return Dropped(path, *place, settled, manifest, _refusal(place, manifest, known, retired))


def _is_plain(name: str, fits: Callable[[str], bool]) -> bool:
    return fits(name) and not holds_persons_number(name)


def _is_settled(status: os.stat_result, settle_seconds: float, now: datetime) -> bool:
    """Say whether a file is old enough; the time of change, which no copying tool can set back."""
    return settle_seconds == 0 or now.timestamp() - status.st_ctime >= settle_seconds


def _manifest(path: Path) -> Manifest | None:
    """Return the manifest beside a file, or None when there is none.

    Raises:
        RequestError: when it is not a plain file or not a manifest.
    """
    place = manifest_path(path)
    try:
        status = place.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MANIFEST_BYTES:
            raise RequestError("the manifest is not a plain small file: write it again")
        return Manifest.parse(place.read_bytes())
    except FileNotFoundError:
        return None


def _refusal(
    place: tuple[str, str],
    manifest: Manifest | None,
    known: Mapping[str, frozenset[str]],
    retired: frozenset[str],
) -> DeliveryRefused | None:
    partner, dataset = place
    everyone = frozenset[str]().union(*known.values())
    if partner not in everyone:
        return _unknown("partner", everyone)
    own = frozenset(name for name, partners in known.items() if partner in partners)
    if dataset not in own:
        return _unknown(f"dataset of partner {partner}", own)
    if dataset in retired:
        return DeliveryRefused(
            f"数据集 {dataset} 已停用，不再接收交付 / the contract is retired: nothing is delivered "
            "to it any more"
        )
    if manifest is not None and (manifest.partner, manifest.dataset) != place:
        return DeliveryRefused(
            "the manifest names another partner or dataset than the folder the file is in: "
            "move the file or mend the manifest"
        )
    return None


def _unknown(what: str, existing: frozenset[str]) -> DeliveryRefused:
    names = ", ".join(sorted(existing)) or "none"
    return DeliveryRefused(f"unknown {what}; existing: {names}. Move the file into one of these")
