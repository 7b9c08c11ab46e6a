"""Where the models of release 0.1 kept what they pickle by name."""
