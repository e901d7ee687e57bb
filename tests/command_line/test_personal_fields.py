"""Which fields can say something of a person: none is forgotten that has an address or any text."""

import pytest

from servicelogs import formats
from servicelogs.command_line.reference import personal_fields

# Addresses of load balancers, of what is behind them, and of CloudFront's servers.
OF_SERVERS = {"backend_ip", "destination_ip", "ip_address", "s_ip", "target_ip"}


@pytest.mark.parametrize("name", formats.NAMES)
def test_an_address_is_personal_unless_it_is_a_servers(name):
    log_format = formats.get(name)
    personal = personal_fields(log_format)
    addresses = {field.name for field in log_format.fields if field.type in ("ip", "address")}
    assert addresses - set(personal) <= OF_SERVERS
    assert not set(personal) & OF_SERVERS


@pytest.mark.parametrize("name", formats.NAMES)
def test_what_a_format_names_are_fields_that_nothing_else_says_it_of(name):
    log_format = formats.get(name)
    assert set(log_format.personal) <= {field.name for field in log_format.fields}


def test_what_holds_anything_is_named():
    assert personal_fields(formats.get("rds"))["statement"] == "SQL, with the values in it"
    assert personal_fields(formats.get("lambda"))["json"] == "anything"
    assert personal_fields(formats.get("cloudtrail"))["requestParameters"] == "anything"


def test_names_and_queries_are_known_by_their_common_names():
    assert personal_fields(formats.get("s3_access"))["requester"] == "names and ids"
    assert personal_fields(formats.get("waf"))["httpRequest.args"] == "URL"


@pytest.mark.parametrize("name", formats.NAMES)
def test_a_summary_counts_by_nothing_of_a_person_but_the_country(name):
    log_format = formats.get(name)
    personal = personal_fields(log_format)
    by = log_format.summary.by if log_format.summary else ()
    assert {personal[field] for field in by if field in personal} <= {"country"}


def test_a_type_about_servers_alone_has_none():
    assert personal_fields(formats.get("alb_health_check")) == {}
