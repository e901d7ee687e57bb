"""Prepare the search engine for a deployment, and check that it is prepared."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import OpenSearchException, RequestError

from servicelogs import formats
from servicelogs.errors import ClusterNeedsFixing, ConfigurationError
from servicelogs.opensearch.answers import judge_failure
from servicelogs.opensearch.index_names import IndexNames
from servicelogs.opensearch.indexes import get, indexes_of
from servicelogs.opensearch.mappings import component_templates, index_template, version
from servicelogs.opensearch.tiers import put_policy
from servicelogs.parsing.format import Format, Period
from servicelogs.settings import IndexSettings


def set_up(client: OpenSearch, settings: IndexSettings, log_types: Sequence[str]) -> list[str]:
    """Put the index templates of the deployment's log types; return their names."""
    names = index_names(settings)
    log_formats = [formats.get(log_type) for log_type in log_types]
    _refuse_other_period(client, names, settings.period, log_formats)
    for name, component in component_templates(names, settings).items():
        _put(client, f"component template {name!r}", f"/_component_template/{name}", component)
    for log_format in log_formats:
        name = names.stem(log_format.name)
        template = index_template(log_format, names)
        _put(client, f"index template {name!r}", f"/_index_template/{name}", template)
    put_policy(client, settings, names)
    return [names.stem(log_type) for log_type in log_types]


def index_names(settings: IndexSettings) -> IndexNames:
    """Return the names of a deployment's indexes."""
    return IndexNames(settings.prefix, settings.period)


def template_check(client: OpenSearch, settings: IndexSettings) -> Callable[[str], None]:
    """Return the function that makes sure a log type's template is there, in our version.

    An index made without it would guess its mapping from the first document, for good.
    """
    names = index_names(settings)

    def check(log_type: str) -> None:
        name = names.stem(log_type)
        expected = version(formats.get(log_type))
        found = _version_there(client, name)
        if found != expected:
            state = f"is there in version {found!r}, not {expected!r}" if found else "is missing"
            raise ClusterNeedsFixing(
                f"the index template {name!r} {state}: deploy the stack with another SetUpAgain, "
                "so that its setup puts the template in place"
            )

    return check


def _version_there(client: OpenSearch, name: str) -> str:
    path = "index_templates.index_template._meta"
    answer = get(client, f"/_index_template/{name}", filter_path=path)
    for template in answer.get("index_templates", ()):
        return str(template["index_template"].get("_meta", {}).get("version", ""))
    return ""


def _refuse_other_period(
    client: OpenSearch, names: IndexNames, period: Period, log_formats: Iterable[Format]
) -> None:
    """Refuse a changed IndexPeriod while indexes of the old one exist.

    An object that is delivered again would put its records into an index of another name, where
    their `_id` is not there yet.
    """
    for log_format in log_formats:
        others = [
            index
            for index in indexes_of(client, names.patterns(log_format.name))
            if not names.is_of_period(log_format, index)
        ]
        if others:
            raise ConfigurationError(
                f"IndexPeriod is {period!r}, but {len(others)} indexes of another "
                f"period exist, {others[0]!r} among them: keep the IndexPeriod, choose another "
                "IndexPrefix, or delete these indexes"
            )


def _put(client: OpenSearch, what: str, path: str, template: dict[str, Any]) -> None:
    try:
        client.transport.perform_request("PUT", path, body=template)
    except RequestError as refusal:
        raise ConfigurationError(
            f"OpenSearch refuses the {what}: {judge_failure(refusal).reason}"
        ) from refusal
    except OpenSearchException as failure:
        raise judge_failure(failure).as_error() from failure
