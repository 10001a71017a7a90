"""No page of any role has a fault that axe-core can find: by day, in the dark, and on a telephone."""
