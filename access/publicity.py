"""Uses must become public in time: who watches the ledger must not be outrun for long.

Where witnesses are missing, uses go on being recorded and wait to be made public. Beyond a bound no
further person is shown, so that nobody gains by keeping the witnesses away.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from access.ports import LedgerLog
from hub.errors import LedgerError

_LOOK_AGAIN = timedelta(seconds=1)


class Publicity:
    """Bounds how long uses may wait to be made public.

    Args:
        longest: the bound.
    """

    def __init__(self, ledger: LedgerLog, longest: timedelta) -> None:
        self._ledger = ledger
        self._longest = longest
        self._looked: datetime | None = None  # when the lag was last found to be within bounds

    def require(self, now: datetime) -> None:
        """Refuse a question about persons while uses wait longer than the bound.

        Raises:
            LedgerError: says for how long, and who is to be turned to.
        """
        looked = self._looked
        if looked is not None and looked <= now < looked + _LOOK_AGAIN:
            return
        self._looked = None
        lag = self._ledger.lag(now)
        if lag > self._longest:
            hours = int(lag.total_seconds() // 3600)
            raise LedgerError(
                f"使用记录已有 {hours} 小时未能公开，暂停查询个人信息 / uses have waited {hours} hours "
                "to be made public, so nobody is shown: the operator finds with "
                "`hub ledger publish` which witness does not answer"
            )
        self._looked = now
