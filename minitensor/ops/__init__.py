"""The primitive operations, each defined once beside its rules, and the functions built on them."""
