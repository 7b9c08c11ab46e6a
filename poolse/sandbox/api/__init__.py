"""What each route and each push does: a function of the store and of one call, in a transaction."""
