"""Parts of a scenario of which there are several kinds, some perhaps from other packages."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Union, get_args

from pydantic import Discriminator, PlainValidator, SerializeAsAny, Tag, WithJsonSchema

from fadeline.models.plugins import plugins
from fadeline.simulator.scenario.spec import Spec

OTHERS = "of another package"
"""Tag of kinds that other packages bring."""


def kind_of(spec: type[Spec]) -> str:
    """Return the kind that a class stands for.

    Example:
        >>> from fadeline.simulator.scenario.fading import BlockFading
        >>> kind_of(BlockFading)
        'block'
    """
    kind: str = get_args(spec.model_fields["kind"].annotation)[0]
    return kind


def all_kinds(own: Sequence[type[Spec]], group: str, base: type[Spec]) -> dict[str, type[Spec]]:
    """Return every kind, ours first.

    Args:
        own: Classes of the kinds that come with the package.
        group: Entry points of other packages.
        base: What theirs must be subclasses of.

    Raises:
        PluginError: If another package's class cannot be loaded, or is named like one of ours.
    """
    ours = {kind_of(spec): spec for spec in own}
    return ours | plugins(group, base, taken=list(ours))


def open_union(own: Sequence[type[Spec]], group: str, base: type[Spec]) -> Any:
    """Return the type of a field that takes any kind, by its key `kind`.

    Other packages are looked at only where none of ours is meant.

    Args:
        own: Classes of the kinds that come with the package.
        group: Entry points of other packages.
        base: What theirs must be subclasses of.
    """
    ours = {kind_of(spec): spec for spec in own}
    tagged = [Annotated[spec, Tag(kind)] for kind, spec in ours.items()]
    theirs = Annotated[
        SerializeAsAny[base],  # type: ignore[valid-type]
        PlainValidator(_validator(own, group, base)),
        WithJsonSchema({"not": {}}),  # what other packages take is theirs to say
        Tag(OTHERS),
    ]
    return Annotated[Union[(*tagged, theirs)], Discriminator(_tagger(own, group, base))]


def _tagger(own: Sequence[type[Spec]], group: str, base: type[Spec]) -> Callable[[Any], str | None]:
    ours = {kind_of(spec) for spec in own}

    def kind(value: Any) -> str | None:
        named = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
        if not isinstance(named, str) or named in ours:
            return named if isinstance(named, str) else None
        return OTHERS if named in plugins(group, base, taken=list(ours)) else named

    return kind


def _validator(own: Sequence[type[Spec]], group: str, base: type[Spec]) -> Callable[[Any], Spec]:
    def validated(value: Any) -> Spec:
        if isinstance(value, base):
            return value
        return all_kinds(own, group, base)[value["kind"]].model_validate(value)

    return validated
