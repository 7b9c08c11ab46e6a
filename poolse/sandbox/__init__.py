"""A complete poolse backend for one machine: REST and Phoenix channels over SQLite.

It decodes the wire format itself and shares no code with the client, so that an error in one cannot
hide an error in the other. `rules` has the permissions, `store` is the database, `rest` and
`phoenix` are the two protocols, `middleware` and `sockets` their ASGI applications, `control` the
handle for tests and the command line. Everything except `control` and `request_log` runs on one
event loop in one thread.
"""
