"""HL7 version 2: what laboratories send."""
