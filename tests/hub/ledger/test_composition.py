"""What a hub's ledger is put together of: no witness is quietly done without."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.keyring import Keyring
from hub.ledger.algorithms import COSIGNATURE
from hub.ledger.composition import create_ledger, publisher_of
from hub.ledger.note import Note, sign_text
from hub.ledger.store import StoredPublication
from tests.factories import settings_in
from tests.hub.ledger.factories import CLOCK, InventedSigner, entry


def test_who_was_witnessed_does_not_publish_without_a_policy(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    keyring = Keyring.create(settings.keyring)
    with create_ledger(settings, keyring, CLOCK) as ledger:
        ledger.append([entry()])
        with closing(publisher_of(settings, ledger, CLOCK)) as publisher:
            publisher.turn()
        publisher_of(settings, ledger, CLOCK).close()  # nobody has watched it so far
        public = ledger.checkpoint()
        witness = InventedSigner("oversight.example/witness", algorithm=COSIGNATURE)
        signature = sign_text(Note.parse(public.note).text, witness, 1_800_000_000)
        ledger.publish(StoredPublication(public.note + str(signature), public.size, public.time))
        with pytest.raises(ConfigError, match="is gone"):
            publisher_of(settings, ledger, CLOCK)
        settings.witness_policy.write_text("quorum none\n")
        publisher_of(settings, ledger, CLOCK).close()
