"""How the product breaks: with its own errors, caught where they mean something, documented."""

from __future__ import annotations

import ast
import builtins
from functools import cache

from hub import errors
from hub.errors import HubError
from tests.rules.sources import Module, caught, handlers, modules, raised

#: Builtin exceptions whose handler is in another module, with the reason.
CAUGHT_ELSEWHERE = {
    ("access.files", "ValueError"): "a malformed register entry; its loader makes it a finding",
    ("hub.store.models", "ValueError"): "SQLAlchemy's type protocol wraps it in its own error",
}
#: Frameworks' own signals, raised only in the doors.
SIGNALS = {"Exit", "HTTPException", "KeyboardInterrupt", "RequestValidationError"}
#: Modules that may catch everything: the doors, and what works for waiters who must hear of it.
CATCH_ALL = {
    "access.recording": "Exception",
    "api.door": "Exception",
    "hub.ledger.committer": "BaseException",
}

BUILTIN = {
    n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, BaseException)
}
TREE = {n for n, v in vars(errors).items() if isinstance(v, type) and issubclass(v, HubError)}


def test_every_module_raises_the_hubs_own_errors() -> None:
    strange = [
        f"{module}:{line} raises {name}"
        for module in modules()
        for line, name in raised(module.tree)
        if not _may_raise(module, name)
    ]
    assert strange == []


def test_every_handler_names_what_it_catches() -> None:
    broad = [
        f"{module}:{handler.lineno}"
        for module in modules()
        for handler in handlers(module.tree)
        if {"", "Exception", "BaseException"} & set(caught(handler))
        and not _passes_on(handler)
        and CATCH_ALL.get(module.name) not in caught(handler)
    ]
    assert broad == []


def test_exceptions_of_our_own_are_in_the_tree_or_never_leave_their_package() -> None:
    loose = {
        f"{module.name}.{node.name}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and {base.id for base in node.bases if isinstance(base, ast.Name)} & BUILTIN
        and node.name not in caught_in(module.package)
    }
    assert loose == {"hub.errors.HubError"}


def test_nothing_is_left_undone() -> None:
    marks = ("TODO", "FIXME", "raise NotImplementedError")
    found = [
        f"{module}:{number}"
        for module in modules()
        for number, line in enumerate(module.text.splitlines(), 1)
        if any(mark in line for mark in marks)
    ]
    assert found == []


@cache
def caught_in(package: str) -> frozenset[str]:
    """Return the names of everything that some handler of a package catches."""
    trees = (module.tree for module in modules() if module.package == package)
    return frozenset(
        name for tree in trees for handler in handlers(tree) for name in caught(handler)
    )


def _may_raise(module: Module, name: str) -> bool:
    """Say whether a module may raise a class of that name.

    A builtin one only where the same module also catches it, one of our own outside the tree only
    where its package does; plain `Exception` never.
    """
    if name in BUILTIN:
        at_once = {name for handler in handlers(module.tree) for name in caught(handler)}
        allowed = (name in at_once and name != "Exception") or (
            (module.name, name) in CAUGHT_ELSEWHERE
        )
        return allowed or (name in SIGNALS and module.package == "api")
    return (
        name in TREE
        or name in caught_in(module.package)
        or (name in SIGNALS and module.package == "api")
        or name == "ConstructorError"  # PyYAML's own protocol, caught by its caller
    )


def _passes_on(handler: ast.ExceptHandler) -> bool:
    """Say whether a handler ends by raising what it caught again."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None
