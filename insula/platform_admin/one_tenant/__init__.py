"""One tenant: what it is, its people, hosts, keys and record, and the form that changes it."""
