"""
Basic and Form Post Basic: request objects that nobody signed are refused, never ignored.

`none` is not advertised, so the suite skips these modules; they are sent here all the same.
"""

import base64
import json

import pytest
from sites import CALLBACK
from suite import basic_and_form_post, interleaved

pytestmark = basic_and_form_post

_OTHER = f"{CALLBACK}/other"


def _unsigned(run, **says):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    asked = {**run.asked(), "iss": run.client().client_id, "aud": run.issuer, **says}
    return f"{part({'alg': 'none'})}.{part(asked)}."


async def _is_refused(run, errors, **parameters):
    await run.refused_on_a_page(**parameters)  # nobody has signed in
    await run.succeeds()
    assert await run.refused(**parameters) in errors


def _none_is_not_advertised(run):
    return "none" not in run.metadata.get("request_object_signing_alg_values_supported", [])


@pytest.mark.spec("OIDCC-6.2", "JAR-5.2", "JR-1", "JR-2")
@interleaved
async def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(run):
    assert _none_is_not_advertised(run)
    error = (
        "invalid_request_uri"  # this one is not registered
        if run.metadata["request_uri_parameter_supported"]
        else "request_uri_not_supported"
    )

    await _is_refused(run, {error}, request_uri="https://suite.example/requests/1.jwt")


@pytest.mark.spec("OIDCC-6.1", "JAR-4", "JR-1")
@interleaved
async def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(run):
    assert _none_is_not_advertised(run)

    await _is_refused(run, {_REFUSAL[_is_spoken(run)]}, request=_unsigned(run))


@pytest.mark.spec("OIDCC-6.1", "JR-10")
@interleaved
async def test_oidcc_ensure_request_object_with_redirect_uri(run):
    # outside an address that is not registered: never there, and no other is fallen back to
    await run.refused_on_a_page(redirect_uri=_OTHER, request=_unsigned(run))
    await run.succeeds()
    await run.refused_on_a_page(redirect_uri=_OTHER, request=_unsigned(run))
    # outside a good one: what is inside is not acted upon, since nobody signed it
    refused = await run.refused(request=_unsigned(run, redirect_uri=_OTHER))
    assert refused == _REFUSAL[_is_spoken(run)]


_REFUSAL = {True: "invalid_request_object", False: "request_not_supported"}


def _is_spoken(run):
    return run.metadata["request_parameter_supported"]
