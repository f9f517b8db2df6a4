def agent_from(x): return x
def agent_from_spec(s, root=None):
    import importlib
    m,a=s.split(":"); return getattr(importlib.import_module(m),a)
