"""The demonstration of the ledger: a witness of its own, a sealed use, proofs checked offline."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from access.duties import Official
from access.seal_desk import WantedSeal
from api.commands.access.office import done, office
from api.console import out
from api.publishing import publication, publish_once
from hub.config import Settings
from hub.errors import RequestError, SourceError
from hub.ledger import verify as verifier

SEALED_CASE = "2026-0312"
_PURPOSE, _GROUND, _TERM = "public_safety.investigation", "criminal_inquiry", timedelta(days=30)
_WITNESS = "oversight.example/witness"
_SEEN_SECONDS = 0.5  # a worker looks for new orders this often, and more
_SHOWN = 24  # lines of what the verifier says

Token = Callable[..., Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness that runs beside the demonstration, and its Ed25519 key."""

    folder: Path
    key: str


@contextmanager
def witnessed(settings: Settings, web: httpx.Client, port: int) -> Iterator[Witness]:
    """Run a witness for a while, on whose cosignature the hub then waits.

    Raises:
        SourceError: when it does not answer.
    """
    folder = settings.home / "demo" / "witness"
    here = ("--folder", str(folder))
    key = _hub("witness", "init", "--name", _WITNESS, *here).splitlines()[0]
    log = web.get("/v1/public/key").raise_for_status().text.strip()
    _hub("witness", "add-log", log, "--url", str(web.base_url.join("/ledger/")), *here)
    policy = f"log {log}\nwitness oversight {key} http://127.0.0.1:{port}\nquorum oversight\n"
    settings.witness_policy.write_text(policy)
    command = [*_COMMAND, "witness", "run", *here, "--port", str(port), "--poll-seconds", "1"]
    process = subprocess.Popen(command)  # noqa: S603
    try:
        _wait(process, port)
        out.print(f"{_WITNESS} watches the ledger; nothing is made public that it does not cosign.")
        yield Witness(folder, key)
    finally:
        process.terminate()
        process.wait(timeout=20)
        settings.witness_policy.write_text("quorum none\n")  # the hub goes on without it


def seal_a_use(settings: Settings, web: httpx.Client, token: Token, number: str) -> int:
    """Have a use sealed by an order of two persons; say what the person sees of it: nothing.

    Returns:
        Number of the order.
    """
    citizen = token("citizen", id_number=number)
    before = _uses(web, citizen)
    with office(settings.home) as at:
        wanted = WantedSeal(
            _GROUND, (_PURPOSE,), SEALED_CASE, at.clock.now(), at.clock.now() + _TERM
        )
        act = at.act("officer.police", "正在侦查 / an inquiry is going on")
        order = done(at.seals.order(wanted, _official(at.second(act)), act)).order.id
        act = at.act("oversight", "依据属实 / the ground holds")
        done(at.seals.approve(order, _official(at.second(act)), act))
    out.print(f"officer.police orders, oversight approves: order {order}, {_TERM.days} days")
    time.sleep(_SEEN_SECONDS)
    body = {
        "by": "resident_id",
        "value": number,
        "purpose": _PURPOSE,
        "case": SEALED_CASE,
    }
    reply = web.post("/v1/officer/lookup", json=body, headers=token("officer.police"))
    receipt = reply.raise_for_status().json()["receipt"]["index"]
    out.print(f"officer.police looks the resident up under it: ledger entry {receipt}")
    shown = _uses(web, citizen)
    out.print(f"the resident sees {len(shown)} uses, as before ({len(before)}), without a gap")
    return order


def lift_the_seal(settings: Settings, web: httpx.Client, token: Token, number: str) -> None:
    """End every order; say what the person then sees of what was sealed."""
    with office(settings.home) as at:
        act = at.act("oversight", "侦查终结 / the inquiry is over")
        for one in at.seals.standings(at.clock.now()):
            done(at.seals.lift(one.order.id, _official(at.second(act)), act))
    publish(settings)
    for use in _uses(web, token("citizen", id_number=number)):
        if use["withheld"]:
            out.print(
                f"the order is lifted: the resident sees the use of {use['time'][:19]} "
                f"({use['agency_title']}), kept back on the ground “{use['withheld']['ground']}”",
                soft_wrap=True,
            )


def publish(settings: Settings) -> None:
    """Make public what is recorded, as `hub up` does every few seconds.

    Raises:
        RequestError: when the witness did not cosign.
    """
    with publication(settings) as hub:
        turn = publish_once(hub)
    if turn.waiting:
        raise RequestError(turn.waiting)
    said = "".join(f"; {name}: {answer}" for name, answer in turn.answers)
    out.print(f"{turn.size:,} entries of the ledger are public now, with their index{said}")


def check_proofs(
    settings: Settings, web: httpx.Client, headers: Mapping[str, str], index: int, witness: Witness
) -> None:
    """Take a proof and the statement home and check both offline, with one file and two keys.

    Raises:
        RequestError: when one does not hold.
    """
    folder = settings.home / "demo" / "proof"
    folder.mkdir(parents=True)
    shutil.copyfile(verifier.__file__, folder / "verify.py")
    key = web.get("/v1/public/key").raise_for_status().text.strip()
    files = {
        "use.tlog-proof": (f"/v1/me/uses/{index}/proof", f"The proof of entry {index}"),
        "statement.json": ("/v1/me/statement", "The statement of every use of this person's data"),
    }
    for name, (address, what) in files.items():
        (folder / name).write_bytes(web.get(address, headers=headers).raise_for_status().content)
        arguments = [
            sys.executable,
            "-I",
            "verify.py",
            name,
            "--key",
            key,
            "--witness",
            witness.key,
        ]
        result = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
        out.print(f"\n{what}, checked offline by one file ({folder / 'verify.py'}):")
        lines = result.stdout.splitlines()
        out.print("\n".join(f"  {line}" for line in lines[:_SHOWN]), markup=False)
        if len(lines) > _SHOWN:
            out.print(f"  … ({len(lines) - _SHOWN} more lines)")
        if result.returncode:
            raise RequestError("the proof did not hold")


_COMMAND = (sys.executable, "-m", "api")


def _hub(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        [*_COMMAND, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SourceError(f"`hub {' '.join(arguments[:2])}` ended with code {done.returncode}")
    return done.stdout


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=2.0)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise SourceError("the witness did not answer")


def _uses(web: httpx.Client, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = web.get("/v1/me/uses", headers=headers).json()["uses"]
    return found


def _official(found: Any) -> Official:
    official: Official = done(found)
    return official
