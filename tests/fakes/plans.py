"""Plans bound to the content of their files without any gate, for tests of what comes after consent."""

from __future__ import annotations

from tcao_tui.domain.plan import DataHashes, Plan
from tcao_tui.domain.plan_data import data_files
from tcao_tui.services.plans import hash_file


def resolve(plan: Plan) -> Plan:
    """The plan with the SHA-256 of its data files filled in."""
    return plan.model_copy(update={"data": DataHashes(**{f.field: hash_file(f.path) for f in data_files(plan)})})
