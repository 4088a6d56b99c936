"""Planted persons: every cell that can be told apart holds a value that stands nowhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hub.catalog import Catalog
from tests.access.reference import Held, Subject, mask
from tests.factories import id_number

#: dataset -> role of the planted person -> column with their number.
_ROLES = {
    "civil_affairs.assistance": "recipient",
    "civil_affairs.disability": "holder",
    "civil_affairs.marriage": "man",
    "housing.dwelling": "owner",
    "housing.tenancy": "tenant",
    "police.case": "victim",
    "police.dispute": "party_a",
    "police.incident": "reporter",
    "population.resident": "resident",
}
_SURNAMES = "赵钱孙李周吴郑王"
_TOLD_APART = frozenset(
    {
        "account_no", "address_id", "certificate_no", "detail", "household_id", "mediator",
        "responsible_person", "workplace",
    }
)  # fmt: skip


def _digits(count: int, *seed: object) -> str:
    digest = hashlib.sha256(repr(seed).encode()).hexdigest()
    return str(int(digest, 16))[7 : 7 + count]


@dataclass(frozen=True)
class Planted:
    """An invented person by serial number; `home` tells who lives together."""

    serial: int
    street: int = 1
    born: str = ""
    home: int | None = None
    traits: frozenset[str] = frozenset()

    @property
    def birth_date(self) -> str:
        """Return a day of birth that nobody else planted has."""
        return self.born or f"19{61 + self.serial}-0{self.serial + 1}-1{self.serial}"

    @property
    def number(self) -> str:
        """Return the identity number: of a man."""
        return id_number(611 + 2 * self.serial, self.birth_date.replace("-", ""))

    @property
    def community(self) -> str:
        """Return the code of the community."""
        return f"99010600{self.street}001"

    @property
    def grid(self) -> str:
        """Return the code of the grid."""
        return f"{self.community}01"

    def name(self, column: str) -> str:
        """Return a name of this person's that only one column has."""
        first = int(_digits(6, self.serial, column))
        rare = (chr(0x9D00 + first % 97), chr(0x9D80 + first // 97 % 97))
        return _SURNAMES[self.serial] + "".join(rare)

    def phone(self, column: str) -> str:
        """Return a telephone number that only one column has."""
        return "19" + _digits(9, self.serial, column)

    def address(self, column: str) -> str:
        """Return an address that only one column has."""
        street, community = (("东街", "东门"), ("西街", "西门"))[self.street - 1]
        house = _digits(4, self.serial, column)
        return f"虚设市明镜区{street}街道{community}社区学士路{house}号1幢1单元101室"

    @property
    def home_address(self) -> str:
        """Return the address lived at."""
        return self.address("residence_address")

    def records(self) -> dict[str, dict[str, str]]:
        """Return dataset -> column -> value of what is delivered about this person."""
        s, number, grid = self.serial, self.number, self.grid
        other = id_number(901 + s, "19720229")
        where = {"grid_code": grid}
        station = {"station_code": f"99010650{self.street}000", "station_name": "虚设派出所"}
        home = s if self.home is None else self.home
        return {
            "population.resident": {
                "resident_id": number, "name": self.name("resident.name"),
                "former_name": self.name("resident.former"), "sex": "1", "ethnicity": "01",
                "birth_date": self.birth_date, "person_status": "0", "residence_type": "1",
                "household_id": f"HK{_digits(8, home, 'h')}", "relation_to_head": "02",
                "marital_status": "20", "education": "20", "phone": self.phone("resident.phone"),
                "registered_address": self.address("registered"),
                "residence_address": self.home_address,
                "address_id": f"DZ{_digits(8, home, 'a')}", "division_code": self.community,
                "workplace": f"虚设{_digits(7, s, 'w')}厂", "collected_on": "2025-05-01", **where,
            },
            "housing.dwelling": {
                "dwelling_id": f"FW{s:06d}", "address_id": f"DZ{_digits(8, home, 'a')}",
                "category": "1", "ownership": "10", "usage": "1", "rooms": "3", "area_sqm": "88.5",
                "certificate_no": f"CQ{_digits(9, s, 'c')}", "owner_id": number,
                "owner_name": self.name("owner.name"), "owner_phone": self.phone("owner"),
                "is_rented": "0", "address": self.address("dwelling"), "updated_on": "2025-05-01",
                **where,
            },
            "housing.tenancy": {
                "tenancy_id": f"ZL{s:06d}", "dwelling_id": f"FW{s:06d}", "tenant_id": number,
                "tenant_name": self.name("tenant.name"), "tenant_phone": self.phone("tenant"),
                "rented_area_sqm": "20", "rent_yuan": "1200", "start_date": "2025-01-01",
                "responsible_person": self.name("responsible"), "registered_on": "2025-01-02",
                **where,
            },
            "civil_affairs.assistance": {
                "assistance_no": f"JZ{s:06d}", "recipient_id": number,
                "recipient_name": self.name("recipient"), "category": "11", "reason": "1",
                "members": "2", "monthly_amount_yuan": "900", "start_month": "2025-01",
                "bank_name": "虚设银行", "account_name": self.name("account"),
                "account_no": _digits(16, s, "bank"), "status": "1", **where,
            },
            "civil_affairs.disability": {
                "certificate_no": f"{number}43", "holder_id": number,
                "holder_name": self.name("holder"), "category": "4", "grade": "3",
                "issued_on": "2024-05-01", "valid_until": "2034-05-01",
                "guardian_name": self.name("guardian"), "guardian_phone": self.phone("guardian"),
                **where,
            },
            "civil_affairs.marriage": {
                "registration_no": f"HY{s:06d}", "man_id": number, "man_name": self.name("man"),
                "man_birth_date": self.birth_date, "woman_id": other,
                "woman_name": self.name("woman"), "woman_birth_date": "1972-02-29",
                "op_type": "IA", "op_date": "2024-02-01",
                "certificate_no": f"J{_digits(9, s, 'j')}", "office_code": "CA01",
                "office_name": "虚设婚姻登记处",
            },
            "police.case": {
                "case_no": f"A{s:06d}", "filed_on": "2025-04-01", "category": "theft",
                "victim_id": number, "victim_name": self.name("victim"), "suspect_id": other,
                "suspect_name": self.name("suspect"), "loss_yuan": "500", "status": "1",
                "address": self.address("case"), "detail": f"案情{_digits(9, s, 'd1')}号",
                **station, **where,
            },
            "police.dispute": {
                "dispute_no": f"D{s:06d}", "reported_on": "2025-04-02", "category": "neighbour",
                "party_a_id": number, "party_a_name": self.name("a"), "party_b_id": other,
                "party_b_name": self.name("b"), "mediator": self.name("mediator"), "result": "1",
                "detail": f"纠纷{_digits(9, s, 'd2')}号", **station, **where,
            },
            "police.incident": {
                "incident_no": f"J{s:06d}", "reported_at": "2025-04-03 10:00:00",
                "reporter_id": number, "reporter_name": self.name("reporter"),
                "reporter_phone": self.phone("reporter"), "category": "010100", "result": "1",
                "risk_level": "1", "address": self.address("incident"),
                "detail": f"警情{_digits(9, s, 'd3')}号", **station, **where,
            },
        }  # fmt: skip

    def subject(self, more_traits: frozenset[str] = frozenset()) -> Subject:
        """Return the person as the reference knows one."""
        held = (Held(name, _ROLES[name], values) for name, values in self.records().items())
        return Subject(self.grid, tuple(held), self.traits | more_traits)


def secrets(
    people: tuple[Planted, ...], catalog: Catalog, *, sealed: bool = False
) -> frozenset[str]:
    """Return every text that tells something: values, what masks hide of them, and masked forms.

    Args:
        sealed: only of columns that the hub keeps sealed, and that no other column keeps clear.
    """
    cells = [(name, values) for who in people for name, values in who.records().items()]
    found = {text for name, values in cells for text in _secrets(catalog, name, values)}
    stored = {
        value
        for name, values in cells
        for column, value in values.items()
        if not catalog[name].column(column).sealed
    }
    return frozenset(found - stored if sealed else found)


def _secrets(catalog: Catalog, name: str, values: Mapping[str, str]) -> Iterator[str]:
    for column, value in values.items():
        meant = catalog[name].column(column).semantic or ""
        if meant in ("resident_id", "disability_certificate"):
            yield from (value, value[6:14], mask(meant, value) or value)
        elif meant == "birth_date":
            yield value
        elif meant == "person_name":
            yield from (value, value[1:])
        elif meant == "phone":
            yield from (value, value[3:], mask(meant, value) or value)
        elif meant == "address":
            yield from (value, value[value.index("学士路") : value.index("号") + 1])
        elif meant == "bank_account":
            yield from (value, mask(meant, value) or value)
        elif column in _TOLD_APART:
            yield value
