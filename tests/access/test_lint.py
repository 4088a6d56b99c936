"""The linter: whatever would make a policy say something else than it reads is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from access.lint import errors_of, lint
from hub.catalog import Catalog
from hub.errors import PolicyError
from tests.access.conftest import Edit


def error_codes(catalog: Catalog, folder: Path) -> set[str]:
    """Return the codes of the errors in a folder."""
    return {finding.code for finding in errors_of(lint(catalog, folder))}


def test_the_shipped_policy_has_no_finding(catalog: Catalog) -> None:
    """Neither error nor warning, against the shipped contracts."""
    assert lint(catalog) == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("grid-residence,allow,grid_officer,", "grid-residence,allow,grid_oficer,", "unknown-role"),
        ("window-assistance,allow,window_officer,civil_affairs,",
         "window-assistance,allow,window_officer,civil_afairs,", "unknown-agency"),
        ("police.* population.resident", "polize.* population.resident", "unknown-dataset"),
        ("housing.tenancy address.standard_address,residence.verify,own",
         "housing.tenant address.standard_address,residence.verify,own", "unknown-dataset"),
        (",residence.verify,own,", ",residence.verified,own,", "unknown-purpose"),
        (",residence.verify,own,", ",*,own,", "too-wide"),
        ("grid-residence,allow,grid_officer,*,lookup search,",
         "grid-residence,allow,grid_officer,*,*,", "too-wide"),
        ("grid-residence,allow,grid_officer,", "grid-residence,allow,*,", "too-wide"),
        ("grid-residence,allow,grid_officer,*,lookup search,",
         "grid-residence,allow,grid_officer,*,lookup list,", "too-wide"),
        ("grid-residence,allow,grid_officer,*,lookup search,",
         "grid-residence,allow,grid_officer,*,lookup export,", "export"),
        ("citizen-own,allow,citizen,", "citizen-own,allow,analyst,", "too-wide"),
        ("assistance.review,any,required,", "assistance.review,any,optional,", "too-wide"),
        ("public_safety.investigation,own,required,", "public_safety.investigation,own,optional,",
         "lift-without-case"),
        ("no-export,deny,", "no-export,DENY,", "unknown-effect"),
        ("no-data-for-administrators,deny,administrator,", "no-data-for-administrators,deny,*,",
         "unreachable"),
        ("statistics.publish,any,optional,any,clear,L2,-,min_cell=5,\"统计不",
         "statistics.publish,any,required,any,clear,L2,-,min_cell=5,\"统计不", "unreachable"),
    ],
)  # fmt: skip
def test_a_rule_that_says_something_else_is_an_error(
    old: str, new: str, code: str, edit: Edit, catalog: Catalog
) -> None:
    """Each kind of typing error or widening in policy.csv."""
    assert code in error_codes(catalog, edit("policy.csv", old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("&& !some(where (p.eft == deny))", ""),
        ("e = some(where", "e = !some(where"),
        ("p = rule, role,", "p = role, rule,"),
        ("g = _, _, _", "g = _, _"),
        ("m = holds", "m = eval(p.role) && holds"),
        ("m = holds(r.roles, p.role, r.agency) && ", "m = "),
        ("&& covers(p.purpose, r.purpose)", ""),
        ('&& (p.subject == "any" || p.subject == r.subject) ', ""),
        ("&& note(p.rule)", "|| note(p.rule)"),
        ("m = holds", "x = holds"),
        # what is compared with itself, inside parentheses
        ('(p.area == "any" || p.area == r.area)', '(p.area == "any" || r.area == r.area)'),
        ('r.case == "given")', 'r.case == "given" || r.case == "none")'),
        ('p.area == "any" ||', 'p.area == "any " ||'),
        # a later line wins with Casbin, indented or not
        ("&& note(p.rule)", '&& note(p.rule)\n  m = p.eft == "allow"'),
        ("[matchers]", "[matchers]\nm2 = note(p.rule)"),
        ("&& note(p.rule)", "&& note(p.rule) \\\n || note(p.rule)"),
    ],
)
def test_a_model_that_fails_open_is_an_error(
    old: str, new: str, edit: Edit, catalog: Catalog
) -> None:
    """Every statement is the one the code was proven with."""
    assert error_codes(catalog, edit("model.conf", old, new)) == {"model"}


def test_spacing_and_comments_of_the_model_are_free(edit: Edit, catalog: Catalog) -> None:
    """They say nothing."""
    assert lint(catalog, edit("model.conf", " && serves", "\t &&  serves")) == ()
    assert lint(catalog, edit("model.conf", "[matchers]", "\n# the matcher\n[matchers]")) == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("inherits: [administrator]", "inherits: [admin]", "unknown-role"),
        ("inherits: [administrator]", "inherits: [security_admin]", "separate-duties"),
        ("agencies: [oversight]", "agencies: [oversigt]", "unknown-agency"),
        ("- [oversight, data_steward]", "- [oversight, steward]", "unknown-role"),
        ("    plain: Anybody employed by an agency.\n",
         "    plain: Anybody employed by an agency.\n    inherits: [grid_officer]\n",
         "circular-role"),
        ("  approve_policy: [security_admin]\n", "", "no-duty"),
        ("  propose_policy: [system_admin, security_admin]", "  propose_policy: []", "no-duty"),
        ("  approve_policy:", "  aprove_policy:", "unknown-duty"),
        ("  approve_policy: [security_admin]", "  approve_policy: [security_chief]", "unknown-role"),
    ],
)  # fmt: skip
def test_a_role_that_does_not_hold_together_is_an_error(
    old: str, new: str, code: str, edit: Edit, catalog: Catalog
) -> None:
    """Unknown parents and agencies, circles, roles that join what must be apart."""
    assert code in error_codes(catalog, edit("roles.yaml", old, new))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("roles: [citizen]", "roles: [citizens]", "unknown-role"),
        ("masked: [resident_id, phone, registered_address]", "masked: [resident_id, phone, telephone]",
         "unknown-column"),
        ("    housing.tenancy:\n", "    housing.tenancies:\n", "unknown-dataset"),
        ("withheld: [police.case.suspect]", "withheld: [police.case.suspects]", "unknown-withheld"),
    ],
)  # fmt: skip
def test_a_purpose_with_an_unknown_word_is_an_error(
    old: str, new: str, code: str, edit: Edit, catalog: Catalog
) -> None:
    """Roles, datasets, columns and subject roles exist."""
    assert code in error_codes(catalog, edit("purposes.yaml", old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("case: given\n", "case: required\n"),
        ("actions: [lookup, search]", "actions: [look]"),
        ("days: 90}", "days: -1}"),
        ("days: 90}", "days: soon}"),
        (", days: 90}", "}"),
        ("grounds: [confidential_by_law, criminal_inquiry]", "grounds: []"),
        ("grounds: [confidential_by_law, criminal_inquiry]", "grounds: [convenience]"),
        ("case: open\n  seal", "case: optional\n  seal"),
        ("  noise: {", "  seal: {grounds: [criminal_inquiry], days: 90}\n  noise: {"),
        ("retention_days: 30\n", "retention_days: 30\n  retention: 30\n"),
        ("  title: 居住核实\n", ""),
        ("      generalised: [birth_date]\n", "      generalized: [birth_date]\n"),
        ("masked: [resident_id, phone, registered_address]", "masked: [resident_id, phone, name]"),
        ("unmask: [resident_id, phone]", "unmask: [resident_id, name]"),
        ("elderly.service:\n", "residence.verify:\n"),
        ("roles: [citizen]", "roles: citizen"),
        ("residence.verify:\n", "residence.verify: [\n"),
    ],
)
def test_a_register_of_another_form_is_refused(
    old: str, new: str, edit: Edit, catalog: Catalog
) -> None:
    """What cannot be read at all is an error that names the file."""
    with pytest.raises(PolicyError, match="purpose"):
        lint(catalog, edit("purposes.yaml", old, new))


def test_a_combination_that_gives_back_what_it_hides_is_a_warning(
    edit: Edit, catalog: Catalog
) -> None:
    """The number in clear holds the birth date; the view will close it, the author should know."""
    old = "clear: [resident_id, name, former_name, sex, birth_date,"
    folder = edit("purposes.yaml", old, "clear: [resident_id, name, former_name, sex,")
    messages = [f.message for f in lint(catalog, folder) if f.severity == "warning"]
    assert any("identity number in clear" in message for message in messages)


def test_needs_that_cannot_be_met_are_warnings(edit: Edit, catalog: Catalog) -> None:
    """A code list value has no mask; a name has no generalisation."""
    old = "masked: [resident_id, phone, registered_address]"
    folder = edit("purposes.yaml", old, "masked: [resident_id, phone, marital_status]")
    assert any("no mask" in f.message for f in lint(catalog, folder))
    folder = edit("purposes.yaml", "generalised: [birth_date]", "generalised: [workplace]")
    assert any("no date" in f.message for f in lint(catalog, folder))


def test_a_rule_said_twice_is_a_warning(edit: Edit, catalog: Catalog) -> None:
    """A narrower rule below a wider one is dead text."""
    old = "# Counts and rates"
    new = (
        "again,allow,grid_officer,population,lookup,population.resident,residence.verify,own,"
        "optional,any,masked,L2,-,one_person_per_request list_cap=20,again\n"
    )
    found = [f for f in lint(catalog, edit("policy.csv", old, new)) if f.code == "shadowed"]
    assert [f.severity for f in found] == ["warning"]
    assert "grid-residence" in found[0].message


def test_a_denial_about_some_persons_leaves_a_rule_reachable(edit: Edit, catalog: Catalog) -> None:
    """It takes nothing from the others; about everybody it takes all."""
    new = (
        "none,deny,*,*,lookup search,*,*,any,optional,{},masked,L1,-,-,because\n# Counts and rates"
    )
    some = edit("policy.csv", "# Counts and rates", new.format("protected"))
    assert lint(catalog, some) == ()
    everybody = edit("policy.csv", "# Counts and rates", new.format("any"))
    assert error_codes(catalog, everybody) == {"unreachable"}


def test_a_finding_says_where(edit: Edit, catalog: Catalog) -> None:
    """File and line, as an editor wants them."""
    folder = edit("policy.csv", "no-export,deny,", "no-export,dney,")
    (finding,) = errors_of(lint(catalog, folder))
    line = (folder / "policy.csv").read_text(encoding="utf-8").splitlines()[finding.line - 1]
    assert line.startswith("no-export,")
    assert str(finding).startswith(f"policy.csv:{finding.line}: unknown-effect:")
