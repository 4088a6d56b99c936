"""What people may write who act: an account, never a name; a reason or file name, never a person's
number.
"""

from __future__ import annotations

import re
import unicodedata

from hub.errors import RequestError

#: An account or office, such as population.steward.
ACCOUNT = re.compile(r"[a-z][a-z0-9_]{0,39}(\.[a-z0-9_]{1,40}){0,3}")
_LONGEST_REASON = 500
#: Whatever stands between them: so many could be a telephone or identity number.
_TOO_MANY_DIGITS = 8
#: As many in a row where some are written as words; one by one such words are ordinary Chinese.
_SPELT_OUT = re.compile("[0-9〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]{8}")
#: Identity numbers of 15 or 18 characters, the first 18 of a certificate that begins with one, and
#: mobile numbers, also in their usual groups. Names have dates and times: other digits are free.
_PERSONS_NUMBER = re.compile(
    r"(?<![0-9])"
    r"(?:[0-9]{15}(?![0-9])|[0-9]{17}[0-9X]|[0-9]{6}[ -][0-9]{8}[ -][0-9]{3}[0-9X]"
    r"|(?:86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9]))",
    re.IGNORECASE,
)


def holds_persons_number(name: str) -> bool:
    """Say whether a name, of a file for example, holds an identity or mobile number."""
    return _PERSONS_NUMBER.search(unicodedata.normalize("NFKC", name)) is not None


def require_plain(by: str, reason: str) -> None:
    """Refuse an actor or a reason that could name a person.

    Raises:
        RequestError: when `by` is no account, or the reason is missing, too long or could hold a
            person's number.
    """
    if not ACCOUNT.fullmatch(by):
        raise RequestError(
            "经办人请写账号或岗位，如 population.steward，不写姓名。 / "
            "Say who acts by account or office, never by a person's name."
        )
    require_reason(reason)


def require_reason(reason: str) -> None:
    """Refuse a reason that could name a person.

    Raises:
        RequestError: when it is missing, too long or could hold a person's number.
    """
    if not reason.strip() or len(reason) > _LONGEST_REASON or _could_name(reason):
        raise RequestError(
            "请写理由，500 字以内，不含身份号码和电话。 / "
            "Give a reason of up to 500 characters without a person's number."
        )


def _could_name(reason: str) -> bool:
    """Say whether a reason's digits could be a person's number.

    Everything else is left out first, also X, the last character of some identity numbers: no
    choice of separators hides a number, nor do full-width or circled digits, or words for them.
    """
    written = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", reason)))
    digits = sum(map(str.isdigit, written))
    return digits >= _TOO_MANY_DIGITS or _SPELT_OUT.search(written) is not None
