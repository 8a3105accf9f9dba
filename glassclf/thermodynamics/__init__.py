"""Cooling curves, the glass transition temperature, and energies of films."""

__all__ = []
