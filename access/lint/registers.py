"""The registers of purposes and roles: every word exists, and they hold together."""

from __future__ import annotations

from collections.abc import Iterator

from access import purposes as purposes_file
from access import roles as roles_file
from access import rules as rules_file
from access.duties import Duty
from access.lint.finding import Finding, line_of
from access.lint.sources import Sources
from access.model import Action
from access.purposes import Purpose
from access.roles import RoleRegister
from access.rules import ANY, covers, rule_covers_dataset
from access.view import mask_of
from hub.catalog import Catalog, Column, Dataset

_Said = tuple[str, str]  # code and message


def purposes_hold(sources: Sources, catalog: Catalog) -> Iterator[Finding]:
    """Find words of purposes that do not exist, needs that cannot be met, purposes without a rule."""
    for purpose in sources.purposes.values():
        line = line_of(sources.purposes_text, purpose.code)
        for code, message in _purpose_errors(purpose, sources.roles, catalog):
            yield Finding(purposes_file.FILE, line, "error", code, f"{purpose.code}: {message}")
        for code, message in _purpose_warnings(purpose, catalog):
            yield Finding(purposes_file.FILE, line, "warning", code, f"{purpose.code}: {message}")
        granted_only = purpose.actions == (Action.EXPORT,)  # no rule can open it
        if not granted_only and not any(
            rule.allows and any(covers(x, purpose.code) for x in rule.purposes)
            for rule in sources.rule_file.rules
        ):
            message = f"{purpose.code}: 没有规则为其开放任何数据 / no rule allows anything for it"
            yield Finding(purposes_file.FILE, line, "warning", "unused-purpose", message)


def _purpose_errors(purpose: Purpose, roles: RoleRegister, catalog: Catalog) -> Iterator[_Said]:
    for role in purpose.roles:
        if role not in roles.roles:
            yield "unknown-role", f"角色 {role!r} 不存在 / there is no role {role!r}"
    for name, columns in purpose.needs.items():
        if name == ANY:
            continue
        if name not in catalog:
            yield "unknown-dataset", f"数据集 {name!r} 不存在 / there is no dataset {name!r}"
            continue
        known = {column.name for column in catalog[name].columns}
        for column in columns:
            if column != ANY and column not in known:
                message = f"{name} 没有字段 {column!r} / {name} has no column {column!r}"
                yield "unknown-column", message
    for withheld in purpose.withheld:
        name, _, subject = withheld.rpartition(".")
        if name not in catalog or subject not in catalog[name].subjects:
            message = (
                f"{withheld!r} 不是 数据集.人员角色 / withheld {withheld!r} is no dataset.role"
            )
            yield "unknown-withheld", message


def _purpose_warnings(purpose: Purpose, catalog: Catalog) -> Iterator[_Said]:
    for name in purpose.needs:
        if name in catalog:
            yield from _combination_warnings(purpose, catalog[name])
            yield from _mask_warnings(purpose, catalog[name])


def _combination_warnings(purpose: Purpose, dataset: Dataset) -> Iterator[_Said]:
    def columns(semantic: str, *needs: str | None) -> list[Column]:
        return [
            column
            for column in dataset.columns
            if column.semantic == semantic and purpose.need(dataset.name, column.name) in needs
        ]

    births = columns("birth_date", None, "masked", "unmask", "generalised", "age_band", "pseudonym")
    if births and columns("resident_id", "clear"):
        zh = f"{dataset.name} 明文显示身份号码，却不显示其中的出生日期"
        en = "shows the identity number in clear and not the birth date it contains"
        yield "combination", f"{zh} / {en}"
    if columns("resident_id", "masked", "unmask") and columns("birth_date", "clear"):
        zh = f"{dataset.name} 与 6+4 位号码同列时出生日期只到年"
        yield "combination", f"{zh} / beside 6+4 the birth date will only be a year"


def _mask_warnings(purpose: Purpose, dataset: Dataset) -> Iterator[_Said]:
    for column in dataset.columns:
        need = purpose.need(dataset.name, column.name)
        name = f"{dataset.name}.{column.name}"
        if need in ("masked", "unmask") and mask_of(column) == "hidden":
            yield "no-mask", f"{name} 没有遮盖方式，将隐藏 / {name} has no mask and will be hidden"
        if need in ("generalised", "age_band") and column.logical_type not in ("date", "timestamp"):
            yield "no-mask", f"{name} 不是日期，将隐藏 / {name} is no date and will be hidden"


def roles_hold(sources: Sources, _catalog: Catalog) -> Iterator[Finding]:
    """Find words of roles that do not exist, circles, and roles that join what must be apart."""
    register = sources.roles

    def error(line: int, code: str, message: str) -> Finding:
        return Finding(roles_file.FILE, line, "error", code, message)

    for role in register.roles.values():
        line = line_of(sources.roles_text, role.code)
        for parent in role.inherits:
            if parent not in register.roles:
                yield error(
                    line,
                    "unknown-role",
                    f"{role.code}: 上级角色 {parent!r} 不存在 / there is no role {parent!r}",
                )
            elif role.code in register.held(parent):
                yield error(
                    line,
                    "circular-role",
                    f"{role.code}: 经 {parent} 继承自身 / inherits itself through {parent}",
                )
        for agency in role.agencies:
            if agency not in register.agencies:
                yield error(
                    line,
                    "unknown-agency",
                    f"{role.code}: 部门 {agency!r} 不存在 / there is no agency {agency!r}",
                )
        if any(len(register.held(role.code) & apart) > 1 for apart in register.exclusive):
            yield error(
                line,
                "separate-duties",
                f"{role.code}: 自身即兼有须分设的角色 / alone holds roles that exclude each other",
            )
    line = line_of(sources.roles_text, "exclusive")
    for name in sorted({name for apart in register.exclusive for name in apart}):
        if name not in register.roles:
            message = f"exclusive: 角色 {name!r} 不存在 / there is no role {name!r}"
            yield error(line, "unknown-role", message)


def duties_hold(sources: Sources, _catalog: Catalog) -> Iterator[Finding]:
    """Find misspelt words of who may change the policy, and a policy nobody could change again."""
    register = sources.roles
    line = line_of(sources.roles_text, "duties")

    def error(code: str, message: str) -> Finding:
        return Finding(roles_file.FILE, line, "error", code, message)

    for name, roles in register.duties.items():
        if name not in tuple(Duty):
            known = ", ".join(Duty)
            yield error("unknown-duty", f"职责 {name!r} 不在其列 / duty is none of {known}")
        for role in sorted(roles - register.roles.keys()):
            yield error("unknown-role", f"{name}: 角色 {role!r} 不存在 / there is no role {role!r}")
    for duty in (Duty.PROPOSE_POLICY, Duty.APPROVE_POLICY):
        if not register.duties.get(duty):
            message = f"无人可再更改本策略，缺少 {duty} / nobody could change this policy again: no {duty}"
            yield error("no-duty", message)


def datasets_open(sources: Sources, catalog: Catalog) -> Iterator[Finding]:
    """Find datasets that no rule opens."""
    for dataset in catalog.values():
        if not any(r.allows and rule_covers_dataset(r, dataset) for r in sources.rule_file.rules):
            message = f"没有规则开放 {dataset.name} / no rule opens {dataset.name} to anybody"
            yield Finding(rules_file.FILE, 1, "warning", "unused-dataset", message)
