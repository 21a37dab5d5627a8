"""Pages about models: numbers first, each section its own, then a tree of elements, then a file.

A page stands alone: it asks for nothing, and what it may run is pinned by its hash.
"""
