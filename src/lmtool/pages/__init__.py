"""Pages about models: numbers first (``sections``, each its own), then a tree of elements, then one file.

A page stands alone: it asks for nothing, and what it may run is pinned by its hash.
"""
