"""fastopt on this machine, beside its peers: what ``fastopt bench`` measures.

The peers' code is shared with ``benchmarks/peers.py`` of the source tree, which compares much
more, and asks for figures.
"""
