"""Imported before all else where a start should not take long: leaves out what imports slowly and is not used."""

from __future__ import annotations

import sys

# jsonschema tries this one for checking addresses, which no notebook's schema asks for; it compiles grammars for most
# of a second. None makes its import fail.
sys.modules.setdefault("rfc3987_syntax", None)
