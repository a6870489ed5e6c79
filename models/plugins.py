"""What other installed packages add: codecs, fading laws, policies, by their entry points."""

from collections.abc import Collection, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from fadeline.models.errors import PluginError


def plugins(group: str, base: type, *, taken: Collection[str]) -> dict[str, Any]:
    """Return what other packages offer in a group, by the names of their entry points.

    Args:
        group: Such as `fadeline.codecs`.
        base: What each must be an instance or a subclass of.
        taken: Names that are ours.

    Raises:
        PluginError: Naming the package, if something cannot be loaded, is no `base`, or has a name
            that is taken.
    """
    found: dict[str, Any] = {}
    packages: dict[str, str] = {}
    for point in _sorted(group):
        package = _package(point)
        where = f"package {package}, entry point {point.name} of {group}"
        if point.name in taken:
            raise PluginError(
                f"{where}: Fadeline has a {point.name} of its own; choose another name, or "
                f"uninstall {package}"
            )
        if point.name in found:
            raise PluginError(
                f"{where}: package {packages[point.name]} offers {point.name}, too; uninstall one"
            )
        found[point.name], packages[point.name] = _loaded(point, base, where), package
    return found


def _loaded(point: EntryPoint, base: type, where: str) -> Any:
    try:
        thing = point.load()
    except Exception as error:  # whatever a package of somebody else does when it is imported
        raise PluginError(
            f"{where}: cannot be loaded: {type(error).__name__}: {error}; update or uninstall "
            f"{_package(point)}"
        ) from error
    fits = issubclass(thing, base) if isinstance(thing, type) else isinstance(thing, base)
    if not fits:
        raise PluginError(
            f"{where}: {point.value} must be of {base.__module__}.{base.__name__}; update or "
            f"uninstall {_package(point)}"
        )
    return thing


def _sorted(group: str) -> Iterator[EntryPoint]:
    yield from sorted(entry_points(group=group), key=lambda point: (point.name, _package(point)))


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "of an unknown name"
