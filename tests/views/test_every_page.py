"""Every address that answers a GET, opened by every role that may: whole, titled, safe, and nothing left over from a template."""
