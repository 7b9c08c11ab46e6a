"""A whole poolse backend for one machine: REST and Phoenix channels over SQLite.

It reads the wire on its own and shares no code with the client, or a mistake in the one would
hide a mistake in the other. `rules` says what is allowed, `store` keeps the rows, `rest` and
`phoenix` speak, `front` and `sockets` carry, `control` is the handle for tests and the command
line. Everything but `control` and `journal` lives on one event loop in one thread.
"""
