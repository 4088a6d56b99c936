"""Verdicts as Great Expectations suites, validation results and Data Docs.

The rows were judged already; here one row of numbers per dataset (its metrics table: a figure
per rule) is validated by a real GX checkpoint, so that people who know GX find what they know.
Only counts and percentages ever get here, never a value of anybody's. Importing this module
costs seconds: only its own step does it, and nothing of GX is ever loaded elsewhere.

Source: GX Core 1.x (checkpoint, validation definition, data docs site).
"""

from __future__ import annotations

import csv
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read once, while GX is imported

with warnings.catch_warnings():
    # GX 1.24 still imports these modules of the standard library, which are on their way out.
    warnings.filterwarnings(
        "ignore", "module 'sre_(constants|parse)' is deprecated", DeprecationWarning
    )
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
    )
    from great_expectations.expectations.core.expect_column_values_to_be_between import (
        ExpectColumnValuesToBeBetween,
    )
    from great_expectations.expectations.metadata_types import FailureSeverity

from contracts.verdict import BatchVerdict, CheckResult

SITE = "quality"
SOURCE = "metrics"
WHOLE = "whole"
_KEEP_RESULTS = 12
Level = Literal["critical", "warning", "info"]


@dataclass(frozen=True, slots=True)
class DataDocs:
    """What was written.

    Args:
        index: start page of the site.
        suites: dataset -> suite, JSON.
        results: dataset -> validation result, JSON.
        met: dataset -> whether every expectation was met; a batch may be published without.
    """

    index: Path
    suites: dict[str, Path]
    results: dict[str, Path]
    met: dict[str, bool]


@dataclass(frozen=True, slots=True)
class Metric:
    """One column of a metrics table and the bounds its one number has to keep."""

    name: str
    value: float
    lowest: float | None
    highest: float | None
    level: Level
    about: str


def write_data_docs(verdicts: Sequence[BatchVerdict], folder: Path) -> DataDocs:
    """Validate the metrics of each verdict and write suites, results and site into a folder.

    Datasets of earlier calls stay in the site; a dataset's newer result stands beside its last
    dozen. Later verdicts of the same dataset in one call win.

    Args:
        folder: made when it does not exist; what GX keeps lies in `gx/`, the site in `site/`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    latest = {verdict.dataset: verdict for verdict in verdicts}
    context = _context(folder)
    definitions = [_definition(context, verdict, folder) for verdict in latest.values()]
    gx_checkpoint = context.checkpoints.add_or_update(
        gx.Checkpoint(
            name="verdicts",
            validation_definitions=definitions,
            actions=[],
            result_format="BOOLEAN_ONLY",
        )
    )
    outcome = gx_checkpoint.run()
    _forget_old_results(folder)
    suites = [ExpectationSuiteIdentifier(name) for name in latest]
    context.build_data_docs([SITE], [*outcome.run_results, *suites])  # one index for them all
    results: dict[str, Path] = {}
    met: dict[str, bool] = {}
    for result in outcome.run_results.values():
        dataset = str(result.suite_name)
        results[dataset] = _write(folder / "results" / f"{dataset}.json", result.describe())
        met[dataset] = bool(result.success)
    kept = folder / "gx" / "expectations"
    written = {name: kept / f"{name.replace('.', '/')}.json" for name in latest}
    return DataDocs(folder / "site" / "index.html", written, results, met)


def _forget_old_results(folder: Path) -> None:
    """Keep the newest results of each dataset; GX itself keeps them for ever.

    Both of its places hold domain/object/run name/TIME, and the times sort as text.
    """
    kept_by_gx, pages = folder / "gx" / "uncommitted" / "validations", folder / "site/validations"
    for dataset in kept_by_gx.glob("*/*"):
        results = sorted(dataset.glob("*/*"), key=lambda path: path.name)
        for old in results[:-_KEEP_RESULTS]:
            shutil.rmtree(old)
            shutil.rmtree(pages / old.relative_to(kept_by_gx), ignore_errors=True)


def metrics(verdict: BatchVerdict) -> tuple[Metric, ...]:
    """Return the metrics table of a verdict: its figures, then one number per evaluated rule."""
    return tuple(_figures(verdict)) + tuple(
        _metric(item) for item in verdict.results if item.evaluated and item.spec.kind != "rowCount"
    )


def _figures(verdict: BatchVerdict) -> Iterator[Metric]:
    yield Metric("rows", verdict.rows, 1, None, "critical", "数据行数 / rows")
    passed = float(verdict.passed)
    yield Metric("publishable", passed, 1, None, "critical", f"达到发布线 / {verdict.reason}")
    shares = (
        ("key_accuracy_percent", verdict.key_accuracy, "关键字段准确率 / key accuracy, %"),
        ("overall_percent", verdict.overall, "整体合格率 / rows accepted, %"),
    )
    for name, share, about in shares:
        if share is not None:
            yield Metric(name, 100 * share, 0, 100, "info", about)


def _metric(item: CheckResult) -> Metric:
    spec, level = item.spec, _level(item)
    if spec.threshold is None:
        percent = item.failing_percent or 0.0
        return Metric(spec.id, percent, None, 0, level, f"{spec.title}，不合格 % / failing %")
    measured = item.measured or 0.0
    lowest, highest = _bounds(spec.threshold.operator, spec.threshold.values)
    if lowest is highest is None:  # "must not": GX has no such bound, so whether it held
        return Metric(spec.id, float(item.passed), 1, None, level, spec.title)
    return Metric(spec.id, measured, lowest, highest, level, spec.title)


def _level(item: CheckResult) -> Level:
    if item.spec.severity == "warning":
        return "info"
    return "critical" if item.spec.threshold is not None else "warning"


def _bounds(operator: str, values: tuple[float, ...]) -> tuple[float | None, float | None]:
    first, last = values[0], values[-1]
    return {
        "mustBe": (first, first),
        "mustBeGreaterThan": (first, None),
        "mustBeGreaterOrEqualTo": (first, None),
        "mustBeLessThan": (None, first),
        "mustBeLessOrEqualTo": (None, first),
        "mustBeBetween": (first, last),
    }.get(operator, (None, None))


def _context(folder: Path) -> Any:
    context = gx.get_context(mode="file", project_root_dir=folder)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    if set(context.variables.data_docs_sites or {}) != {SITE}:
        for name in list(context.variables.data_docs_sites or {}):
            context.delete_data_docs_site(name)
        context.add_data_docs_site(
            site_name=SITE,
            site_config={
                "class_name": "SiteBuilder",
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "base_directory": "../site",
                },
            },
        )
    return context


def _definition(context: Any, verdict: BatchVerdict, folder: Path) -> Any:
    table = metrics(verdict)
    suite = context.suites.add_or_update(
        gx.ExpectationSuite(
            name=verdict.dataset,
            expectations=[_expectation(metric) for metric in table],
            meta={"notEvaluated": [i.spec.id for i in verdict.results if not i.evaluated]},
        )
    )
    batch_definition = _batch_definition(
        context, verdict.dataset, _metrics_table(folder, verdict, table)
    )
    return context.validation_definitions.add_or_update(
        gx.ValidationDefinition(name=verdict.dataset, data=batch_definition, suite=suite)
    )


def _expectation(metric: Metric) -> Any:
    return ExpectColumnValuesToBeBetween(
        column=metric.name,
        min_value=metric.lowest,
        max_value=metric.highest,
        severity=FailureSeverity(metric.level),
        description=metric.about,
    )


def _metrics_table(folder: Path, verdict: BatchVerdict, table: Sequence[Metric]) -> Path:
    path = folder / "metrics" / f"{verdict.dataset}.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([metric.name for metric in table])
        writer.writerow([repr(float(metric.value)) for metric in table])
    return path


def _batch_definition(context: Any, dataset: str, path: Path) -> Any:
    """Return the whole metrics table as GX reads it; the asset is made anew when it moved."""
    names = {source["name"] for source in context.list_datasources()}
    source = (
        context.data_sources.get(SOURCE)
        if SOURCE in names
        else context.data_sources.add_pandas(SOURCE)
    )
    if dataset in {asset.name for asset in source.assets}:
        asset = source.get_asset(dataset)
        if Path(str(asset.filepath_or_buffer)) == path:
            return asset.get_batch_definition(WHOLE)
        source.delete_asset(dataset)
    asset = source.add_csv_asset(dataset, filepath_or_buffer=str(path))
    return asset.add_batch_definition(WHOLE)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    return path
