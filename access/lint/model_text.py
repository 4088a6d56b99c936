"""The Casbin model says what the tests proved, statement by statement, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from access.lint.finding import Finding
from access.lint.sources import MODEL_FILE, Sources
from hub.catalog import Catalog

_MATCHER = (
    "holds(r.roles, p.role, r.agency)",
    "serves(r.agency, p.agency, r.owner)",
    '(p.area == "any" || p.area == r.area)',
    '(p.case == "optional" || r.case == "given")',
    '(p.subject == "any" || p.subject == r.subject)',
    "ranks(r.level, p.level, p.eft)",
    "shows(r.show, p.show, p.eft)",
    "covers(p.action, r.action)",
    "holds_data(p.dataset, r.dataset, r.sharing)",
    "covers(p.purpose, r.purpose)",
    "note(p.rule)",
)
#: What model.conf says, line by line without its comments: the model that the tests prove.
_MODEL = (
    "[request_definition]",
    "r = roles, agency, owner, action, dataset, sharing, purpose, area, case, subject, show, level",
    "[policy_definition]",
    "p = rule, role, agency, action, dataset, purpose, area, case, subject, show, level, eft",
    "[role_definition]",
    "g = _, _, _",
    "[policy_effect]",
    "e = some(where (p.eft == allow)) && !some(where (p.eft == deny))",
    "[matchers]",
    f"m = {' && '.join(_MATCHER)}",
)


def model_as_proven(sources: Sources, _catalog: Catalog) -> Iterator[Finding]:
    """Find the first statement that is another: only comments and spacing may differ.

    Nothing less would do: Casbin lets a later line take the place of an earlier one, wherever it
    stands, and a matcher can be neutralised inside its innermost parentheses.
    """
    said = [(n, " ".join(line.split())) for n, line in enumerate(sources.model_text.split("\n"), 1)]
    said = [(n, line) for n, line in said if line and not line.startswith("#")]
    for found, wanted in zip_longest(said, _MODEL):
        number, line = found or (1, None)
        if line != wanted:
            message = (
                f"应为 / must be: {wanted}"
                if wanted
                else "多于经过验证的模型 / says more than the model that was proven"
            )
            yield Finding(MODEL_FILE, number, "error", "model", message)
            return
