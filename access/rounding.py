"""Keyed random rounding: every count shown is a multiple of a base, up or down by a keyed chance.

Two tables that may both be shown can be subtracted (a street and its communities, three months and
two of them), and a difference may be as small as one record. So no table shows exact counts. A
count goes to the next multiple below or above, above the more likely the nearer it is: on average
nothing is added or lost. The chance is drawn from a key of the records counted, made of a secret
mark of each: **the same records round alike in every table**, so that asking again, or otherwise,
averages nothing out. A count that is a multiple already stays, which nobody can see.

Whoever subtracts two counts learns a difference to within twice `base - 1`: never one certain
number of records, and never that there are some but fewer than the base.

Source: Fraser and Wooton, "A proposed method for confidentialising tabular output to protect
against differencing" (2005), record keys; Hundepool et al., "Statistical Disclosure Control"
(2012), 5.4.2 (unbiased random rounding).
"""

from __future__ import annotations

from hashlib import blake2b

_KEY_BYTES = 8


def rounded(count: int, key: int, base: int) -> int:
    """Return a count as a multiple of the base.

    Args:
        count: number of records, at least 0.
        key: the marks of the records, one exclusive-or of all (64 bits, unsigned).
        base: 1 or more.
    """
    rest = count % base
    return count - rest + (base if _draw(key, base) < rest else 0)


def _draw(key: int, base: int) -> int:
    """Return 0 .. base - 1, each as likely.

    Keys of overlapping sets of records are related by exclusive-or; hashing ends that.
    """
    digest = blake2b(key.to_bytes(_KEY_BYTES, "big"), digest_size=_KEY_BYTES).digest()
    return int.from_bytes(digest, "big") % base
