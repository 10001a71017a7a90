"""Who gets what from every address of the product: one table, compared with the resolver by test_role_matrix.py.

To add an address, add a row to the module of its room; ``role_rows.py`` says how a row is written.
"""

from __future__ import annotations

from tests.views.role_rows import Row
from tests.views.role_rows_bookings import BOOKINGS
from tests.views.role_rows_checklists import CHECKLISTS
from tests.views.role_rows_clinic import CLINIC
from tests.views.role_rows_followups import FOLLOWUPS
from tests.views.role_rows_inbound import INBOUND
from tests.views.role_rows_leaflets import LEAFLETS
from tests.views.role_rows_records import RECORDS

#: Everything.
MATRIX: dict[str, Row] = {**CLINIC, **BOOKINGS, **CHECKLISTS, **RECORDS, **INBOUND, **FOLLOWUPS, **LEAFLETS}
