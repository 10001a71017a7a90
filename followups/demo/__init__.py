"""The demonstration's data: six weeks of the invented clinic of ``followups.simulation``, up to the present moment."""
