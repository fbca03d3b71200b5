"""Programs that measure; not installed with the product."""
