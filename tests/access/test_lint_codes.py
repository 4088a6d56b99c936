"""Every code of the linter: one file that trips it, one that does not, and a line of the docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from access.lint import Finding, lint, lint_accounts, read_accounts, read_sources
from hub.catalog import Catalog
from tests.access.conftest import Edit
from tests.rules.sources import document, table_rows

GRID = "grid-residence,allow,grid_officer,*,lookup search,"
EXPORT = (
    "no-export,deny,grid_officer window_officer analyst data_steward oversight citizen,*,export,"
    "*,*,any,optional,any,masked,L1,-,-,"
)
AGAIN = (
    "again,allow,grid_officer,population,lookup,population.resident,residence.verify,own,"
    "optional,any,masked,L2,-,one_person_per_request list_cap=20,again\n# Counts and rates"
)
#: code -> file, what is there, what trips it.
TRIPS = {
    "beyond-purpose": ("policy.csv", "population.resident civil_affairs.disability,elderly.service",
                       "population.resident housing.tenancy,elderly.service"),
    "circular-role": ("roles.yaml", "    plain: Anybody employed by an agency.\n",
                      "    plain: Anybody.\n    inherits: [grid_officer]\n"),
    "columns": ("policy.csv", "no-export,deny,", "no-export,"),
    "combination": ("purposes.yaml", "clear: [resident_id, name, former_name, sex, birth_date,",
                    "clear: [resident_id, name, former_name, sex,"),
    "duplicate-rule": ("policy.csv", "no-own-record,deny", "no-export,deny"),
    "empty": ("policy.csv", "no-export,deny,", "no-export,,"),
    "empty-policy": ("policy.csv", "rule,effect", "rule,effects"),
    "eval": ("policy.csv", GRID, "grid-residence,allow,eval(1),*,lookup search,"),
    "export": ("policy.csv", GRID, "grid-residence,allow,grid_officer,*,lookup export,"),
    "header": ("policy.csv", "rule,effect", "rule,effects"),
    "lift-without-case": ("policy.csv", "public_safety.investigation,own,required,",
                          "public_safety.investigation,own,optional,"),
    "model": ("model.conf", "m = holds", "m = eval(p.role) && holds"),
    "narrow-denial": ("policy.csv", EXPORT, EXPORT.replace("any,optional", "own,optional")),
    "no-mask": ("purposes.yaml", "masked: [resident_id, phone, registered_address]",
                "masked: [resident_id, phone, marital_status]"),
    "no-duty": ("roles.yaml", "  approve_policy: [security_admin]\n", ""),
    "rule": ("policy.csv", "no-export,deny", "No Export,deny"),
    "separate-duties": ("roles.yaml", "inherits: [administrator]", "inherits: [security_admin]"),
    "shadowed": ("policy.csv", "# Counts and rates", AGAIN),
    "subject": ("policy.csv", "elderly.service,own,optional,any", "elderly.service,own,optional,minor"),
    "too-wide": ("policy.csv", GRID, "grid-residence,allow,grid_officer,*,lookup list,"),
    "unknown-action": ("policy.csv", EXPORT, EXPORT.replace("export,*,*", "exports,*,*")),
    "unknown-agency": ("policy.csv", GRID, GRID.replace("*", "populace")),
    "unknown-area": ("policy.csv", EXPORT, EXPORT.replace(",any,optional", ",all,optional")),
    "unknown-case": ("policy.csv", EXPORT, EXPORT.replace("optional", "maybe")),
    "unknown-column": ("purposes.yaml", "masked: [resident_id, phone, registered_address]",
                       "masked: [resident_id, phone, telephone]"),
    "unknown-dataset": ("policy.csv", "police.* population.resident", "polize.* population.resident"),
    "unknown-duty": ("roles.yaml", "  approve_policy:", "  aprove_policy:"),
    "unknown-effect": ("policy.csv", EXPORT, EXPORT.replace("deny", "Deny")),
    "unknown-level": ("policy.csv", EXPORT, EXPORT.replace("L1", "L5")),
    "unknown-lift": ("policy.csv", "any,clear,L4,minors,one_person", "any,clear,L4,majors,one_person"),
    "unknown-obligation": ("policy.csv", "min_cell=10", "min_cell=ten"),
    "unknown-purpose": ("policy.csv", ",residence.verify,own,", ",residence.verified,own,"),
    "unknown-role": ("policy.csv", GRID, GRID.replace("grid_officer", "grid_oficer")),
    "unknown-show": ("policy.csv", EXPORT, EXPORT.replace("masked", "hidden")),
    "unknown-subject": ("policy.csv", EXPORT, EXPORT.replace("optional,any", "optional,adult")),
    "unknown-withheld": ("purposes.yaml", "withheld: [police.case.suspect]",
                         "withheld: [police.case.suspects]"),
    "unreachable": ("policy.csv", "no-data-for-administrators,deny,administrator,",
                    "no-data-for-administrators,deny,*,"),
    "unused-purpose": ("policy.csv", "elderly.service,own", "residence.verify,own"),
}  # fmt: skip
#: code -> accounts that trip it.
ACCOUNTS = {
    "lone-decider": """
only.one:
  agency: operations
  roles: [security_admin]
""",
    "own-decision": """
by.day:
  agency: operations
  roles: [system_admin]
  person: "17"
by.night:
  agency: operations
  roles: [security_admin]
  person: "17"
""",
}


@pytest.mark.parametrize("code", TRIPS)
def test_a_code_is_tripped_by_what_it_is_about(code: str, edit: Edit, catalog: Catalog) -> None:
    """And by nothing in the policy that comes with the product."""
    assert code not in {finding.code for finding in lint(catalog)}
    found = [f for f in lint(catalog, edit(*TRIPS[code])) if f.code == code]
    assert found
    file = "purposes.yaml" if code == "unused-purpose" else TRIPS[code][0]
    assert all(f.file == file and f.line >= 1 for f in found)
    assert all(_is_bilingual(f) for f in found)


@pytest.mark.parametrize("code", ACCOUNTS)
def test_a_code_about_accounts_is_tripped(code: str, tmp_path: Path) -> None:
    """Not where the two accounts are two persons', and there are two who decide."""
    sources, text = read_sources(), ACCOUNTS[code]
    file = tmp_path / "accounts.yaml"
    file.write_text(text, encoding="utf-8")
    found = [f for f in lint_accounts(sources, read_accounts(file), file.name) if f.code == code]
    assert found
    assert all(_is_bilingual(f) and str(f).startswith("accounts.yaml:") for f in found)
    table = table_rows(document("access.md"), "code")
    assert {f.severity for f in found} == {table[code][1]}
    other = "other:\n  agency: operations\n  roles: [security_admin]\n"
    file.write_text(text.replace('"17"', "apart", 1) + other, encoding="utf-8")
    findings = lint_accounts(sources, read_accounts(file), file.name)
    assert code not in {f.code for f in findings}


def test_a_dataset_that_no_rule_opens_is_told_of(edit: Edit, catalog: Catalog) -> None:
    """Whoever adds a contract and forgets the rule."""
    folder = edit("policy.csv", "rule,effect", "rule,effect")
    path = folder / "policy.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(
        "\n".join(line for line in lines if ",allow," not in line or line.startswith("grid-")),
        encoding="utf-8",
    )
    found = [f for f in lint(catalog, folder) if f.code == "unused-dataset"]
    assert all(f.severity == "warning" and _is_bilingual(f) for f in found)
    assert any("police.case" in f.message for f in found)
    assert not any("population.resident" in f.message for f in found)


def test_the_docs_list_every_code() -> None:
    """And no other."""
    described = set(table_rows(document("access.md"), "code"))
    assert described == {*TRIPS, *ACCOUNTS, "unused-dataset"}


def test_every_severity_is_as_documented(edit: Edit, catalog: Catalog) -> None:
    """What is called a warning does not stop a policy."""
    table = table_rows(document("access.md"), "code")
    for code, change in TRIPS.items():
        folder = edit(*change)
        severities = {f.severity for f in lint(catalog, folder) if f.code == code}
        assert severities == {table[code][1]}, code


def _is_bilingual(finding: Finding) -> bool:
    before, sign, after = finding.message.partition(" / ")
    return bool(sign and re.search(r"[\u4e00-\u9fff]", before) and re.search("[a-z]", after))
