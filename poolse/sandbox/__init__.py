"""A whole poolse backend for one machine: REST and Phoenix channels over SQLite.

It reads the wire on its own and shares no code with the client, or an error in the one would hide
an error in the other. `rules` says what is allowed, `store` is the database, `rest` and `phoenix`
are the two protocols, `middleware` and `sockets` their ASGI applications, `control` the handle for
tests and the command line. Everything but `control` and `request_log` runs on one event loop in one
thread.
"""
