"""Which errors are planted in which dataset, and how often: first deliveries pass their bar.

The rates sum to about half a percent of the rows of each dataset, so that the measured accuracy
lies between 99.2 and 99.8 %.
"""

from __future__ import annotations

from collections.abc import Mapping

from assets.demo.errors import (
    Recipe,
    bad_reference,
    certificate_mismatch,
    conflict,
    end_before_start,
    float_damage,
    future_date,
    invalid_credit_code,
    missing,
    other_name,
    other_number,
    out_of_range,
    stale_division,
    unknown_code,
    wrong_birth_date,
    wrong_check_digit,
    wrong_sex,
)

DUPLICATES: Mapping[str, tuple[float, float]] = {
    # share of rows repeated word for word, share of rows repeated with another value
    "address.standard_address": (0.0004, 0.0),
    "population.resident": (0.0003, 0.0003),
    "housing.dwelling": (0.0005, 0.0),
    "housing.tenancy": (0.0005, 0.0),
    "enterprise.unit": (0.0004, 0.0),
    "civil_affairs.marriage": (0.0004, 0.0),
    "police.incident": (0.0005, 0.0),
}
CONFLICTING_COLUMN = {"population.resident": "workplace"}
ASSISTED_BUT_DEAD_RATE = 0.004
ASSISTED_BUT_DEAD = conflict("assisted_but_dead", "recipient_id", 0.0, "", "", "recipient_id")

RECIPES: Mapping[str, tuple[Recipe, ...]] = {
    "address.standard_address": (
        stale_division("division_code", 0.0008, among="shop"),
        future_date("updated_on", 0.0005, among="shop"),
        missing("name", 0.0005, among="shop"),
        unknown_code(
            "grid_code", 0.0006, code="99010600100199", rule="grid_code_known", among="shop"
        ),
    ),
    "population.resident": (
        conflict("dead_but_active", "person_status", 0.07, "0", "dead", "resident_id"),
        conflict("marital_conflict", "marital_status", 0.0012, "10", "wed", "resident_id"),
        wrong_check_digit("resident_id", 0.0010, among="settled"),
        wrong_birth_date("birth_date", "resident_id", 0.0008, among="settled"),
        wrong_sex("resident_id", 0.0005, among="settled"),
        float_damage("resident_id", 0.0004, among="settled"),
        missing("name", 0.0004, among="settled"),
        future_date("collected_on", 0.0002, among="settled"),
        unknown_code("person_status", 0.0003, among="settled"),
        stale_division("division_code", 0.0006, among="settled"),
        other_name("name", 0.0005, "none", "unknown_elsewhere", "resident_id"),
        other_number("resident_id", 0.0003, "other_valid_id", "none", "unknown_elsewhere"),
    ),
    "housing.dwelling": (
        wrong_check_digit("owner_id", 0.0010, among="never_let"),
        float_damage("owner_id", 0.0006, among="never_let"),
        missing("area_sqm", 0.0006, among="never_let"),
        bad_reference("address_id", 0.0010, among="never_let"),
        out_of_range("area_sqm", 0.0005, "99999", among="never_let"),
        unknown_code("category", 0.0005, among="never_let"),
        future_date("updated_on", 0.0004, among="never_let"),
    ),
    "housing.tenancy": (
        other_number("tenant_id", 0.003, "tenant_not_resident", "cross-source", "running"),
        other_name("tenant_name", 0.002, "cross-source", "han", "tenant_id"),
        wrong_check_digit("tenant_id", 0.0012),
        float_damage("tenant_id", 0.0010),
        bad_reference("dwelling_id", 0.0010),
        end_before_start("start_date", "end_date", "start_before_end", 0.0010),
        missing("tenant_name", 0.0006),
    ),
    "enterprise.unit": (
        invalid_credit_code(0.0015),
        wrong_check_digit("legal_representative_id", 0.0010),
        unknown_code("status", 0.0008),
        stale_division("division_code", 0.0010),
        future_date("established_on", 0.0004),
        missing("name", 0.0005),
    ),
    "civil_affairs.marriage": (
        wrong_check_digit("man_id", 0.0010),
        wrong_birth_date("woman_birth_date", "woman_id", 0.0010),
        future_date("op_date", 0.0004),
        missing("man_name", 0.0005),
    ),
    "civil_affairs.assistance": (
        wrong_check_digit("recipient_id", 0.0015),
        float_damage("recipient_id", 0.0010),
        missing("recipient_name", 0.0008),
        out_of_range("monthly_amount_yuan", 0.0008, "999999"),
        unknown_code("category", 0.0005),
    ),
    "civil_affairs.disability": (
        certificate_mismatch(0.0018),
        wrong_check_digit("holder_id", 0.0010),
        unknown_code("grade", 0.0006, code="9"),
        end_before_start("issued_on", "valid_until", "issued_before_expiry", 0.0008),
        missing("holder_name", 0.0005),
    ),
    "civil_affairs.death": (
        wrong_birth_date("birth_date", "deceased_id", 0.0015),
        wrong_sex("deceased_id", 0.0010),
        wrong_check_digit("deceased_id", 0.0010),
        future_date("died_on", 0.0008),
        missing("deceased_name", 0.0008),
    ),
    "police.incident": (
        wrong_check_digit("reporter_id", 0.0010),
        future_date("reported_at", 0.0005),
        unknown_code("category", 0.0010, code="123456"),
        unknown_code("grid_code", 0.0008, code="99010600100199", rule="grid_code_known"),
        missing("result", 0.0005),
    ),
    "police.case": (
        wrong_check_digit("victim_id", 0.0018),
        unknown_code("status", 0.0018),
    ),
    "police.dispute": (wrong_check_digit("party_a_id", 0.0032),),
}
SPOILT_RATE = 0.12
CARELESS_RATE = 0.013  # with the usual errors between 97 and 99 %: published, with a yellow card
SPOILT = {
    "housing.dwelling": float_damage("owner_id", CARELESS_RATE, among="never_let"),
    "housing.tenancy": float_damage("tenant_id", SPOILT_RATE),
    "population.resident": float_damage("resident_id", SPOILT_RATE),
    "civil_affairs.death": float_damage("deceased_id", SPOILT_RATE),
    "police.incident": float_damage("reporter_id", SPOILT_RATE),
}
