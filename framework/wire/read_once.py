"""An attribute that is decoded when it is first asked for, and then kept."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T_co = TypeVar("T_co", covariant=True)


class ReadOnce(Generic[T_co]):
    """What ``functools.cached_property`` is, without the lock that it takes before Python 3.12.

    Four of these are read for every job, and the lock costs more than what they decode. Two
    threads that read one at once decode it twice, to the same end.

    Args:
        decode: The method that it stands for.
    """

    def __init__(self, decode: Callable[[Any], T_co]) -> None:
        self._decode = decode
        self._name = decode.__name__
        self.__doc__ = decode.__doc__

    @overload
    def __get__(self, instance: None, owner: object) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: object) -> T_co: ...
    def __get__(self, instance: object | None, owner: object) -> Self | T_co:
        """Decode it; from now on it is found in the instance itself, without a call."""
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._decode(instance)
        return value
