"""How much one delivery may cost, so that no file can fill the disk or the memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds of one delivery, in bytes unless said otherwise.

    Args:
        file_bytes: the file as delivered.
        clear_bytes: what an archive or workbook may unpack to.
        ratio: times an archive may unpack to its own size, beyond the first 64 MiB.
        row_bytes: one row of text.
        document_bytes: a file that must be read as a whole (HTML).
        cells: rows times columns of a workbook's sheet, and cells it may merge.
    """

    file_bytes: int = 16 << 30
    clear_bytes: int = 32 << 30
    ratio: int = 200
    row_bytes: int = 1 << 20
    document_bytes: int = 256 << 20
    cells: int = 50_000_000

    def unpacked(self, packed_bytes: int) -> int:
        """Return what an archive of that size may unpack to."""
        return min(self.clear_bytes, max(64 << 20, packed_bytes * self.ratio))


DEFAULT_LIMITS = Limits()
