"""docs/how-to/use-the-api.md: its commands and its curl lines, one after the other."""

import re
import shlex
from string import Template

import pytest
from serving import ROOT

PAGE = ROOT / "docs" / "how-to" / "use-the-api.md"


def lines():
    """The lines of shell on the page, in order."""
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL))
    return shell.replace("\\\n", " ").splitlines()


def curl(product, line, variables):
    """What a curl line of the page would get."""
    words = shlex.split(Template(line).substitute(variables))[1:]
    method, headers, data, auth, url = None, {}, [], None, None
    for word in (given := iter(words)):
        if word == "-X":
            method = next(given)
        elif word == "-H":
            name, _, value = next(given).partition(": ")
            headers[name] = value
        elif word == "-d":
            data.append(next(given))
        elif word == "-u":
            auth = tuple(next(given).split(":"))
        else:
            assert url is None, line
            url = word.replace(":8000", f":{product.server.port}")
    headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    with product.http(auth=auth) as http:
        return http.request(
            method or ("POST" if data else "GET"), url, headers=headers, content="&".join(data)
        )


@pytest.mark.spec("features Z01", "features Z02")
def test_every_line_does_what_the_page_says(product, run):
    secret = product.remembered.clients["_platforms/api"]
    variables, answers = {"PLATFORM_SECRET": secret}, []
    for line in lines():
        if line.startswith("insula client add"):
            made = run(*shlex.split(line)[1:])
            variables["SECRET"] = made["client_secret"]
        elif line.startswith("insula client set"):
            run(*shlex.split(line)[1:])
        elif line.startswith("curl"):
            answer = curl(product, line, variables)
            answers.append(answer.status_code)
            assert answer.is_success, (line, answer.text)
            said = answer.json() if answer.content else {}
            if "access_token" in said:
                of = "PLATFORM_TOKEN" if "platform" in line else "TOKEN"
                variables[of] = said["access_token"]
            if line.startswith("curl -X POST") and said.get("email"):
                variables.setdefault("USER_ID", said["id"])

    assert len(answers) == 17
    assert answers.count(201) == 3


def test_the_lines_of_the_reference_for_tenants_work_with_our_names(product):
    """Because operators of the system that they are from know them by heart."""
    secret = product.remembered.clients["_platforms/api"]
    with product.http(auth=("api", secret)) as http:
        token = http.post(
            product.url("platform", "/oauth2/token"),
            data={
                "grant_type": "client_credentials",
                "scope": "insula:tenants:read insula:tenants:write",
            },
        ).json()["access_token"]
    host = f"http://platform.localhost:{product.server.port}"
    listed = f'curl {host}/api/v1/tenants -H "Authorization: Bearer $API_TOKEN"'
    created = (
        f"curl -X POST {host}/api/v1/tenants"
        ' -H "Authorization: Bearer $API_TOKEN" -H "Content-Type: application/json"'
        """ -d '{"name": "Acme Corp", "slug": "acme-corp"}'"""
    )

    assert curl(product, created, {"API_TOKEN": token}).json()["display_name"] == "Acme Corp"
    slugs = [each["slug"] for each in curl(product, listed, {"API_TOKEN": token}).json()["data"]]
    assert "acme-corp" in slugs
    taken = curl(product, created, {"API_TOKEN": token})
    assert (taken.status_code, taken.json()["code"]) == (409, "slug_taken")
