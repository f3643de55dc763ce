from .directory import Directory

__all__ = ["Directory"]
