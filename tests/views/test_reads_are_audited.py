"""Who looked at whose chart is written down: once for each page, and never for a poll."""
