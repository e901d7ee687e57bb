"""Run ministack with two things that nested SAM stacks need and that it leaves out.

AWS expands the SAM transform of a child template as it does the root's, and a resource that an
update does not change keeps its attributes.
"""

from typing import Any

from ministack.app import main
from ministack.services.cloudformation import _stacks, engine, provisioners

parse_template = engine._parse_template
update_resource = provisioners._update_resource


def parse_and_expand(body: str) -> dict[str, Any]:
    """Read a template, root or child, with its transforms carried out."""
    return engine._apply_transforms(parse_template(body))


def update_and_keep_attributes(
    kind: str, physical_id: str, old: Any, new: Any, stack: str, logical_id: str
) -> tuple[str, dict[str, Any]]:
    """Update a resource; when it is still the same one, what was known of it stays known."""
    new_id, attributes = update_resource(kind, physical_id, old, new, stack, logical_id)
    if new_id != physical_id:
        return new_id, attributes
    resource = _stacks.get(stack, {}).get("_resources", {}).get(logical_id, {})
    return new_id, {**(resource.get("Attributes") or {}), **(attributes or {})}


engine._parse_template = parse_and_expand
provisioners._update_resource = update_and_keep_attributes

if __name__ == "__main__":
    main()
