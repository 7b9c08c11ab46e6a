from __future__ import annotations
def check(spec, mistakes): pass
