"""Four processes, and everybody at once: what is single is single over all of them."""

import pytest
from spine import FAST, OFFLINE, Api, Crowd, code_of, redemption, tokens_of


@pytest.fixture
async def crowd(product, app, four_workers):
    async with Crowd(product, "acme", app, four_workers.port) as crowd:
        yield crowd


def statuses(answers):
    found = [answer.status_code for answer in answers]
    assert set(found) <= {200, 400}, [a.text for a in answers if a.status_code not in (200, 400)]
    refused = {answer.json()["error"] for answer in answers if answer.status_code == 400}
    assert refused <= {"invalid_grant"}
    return found


@pytest.mark.spec("RFC6749-4.1.2")
async def test_of_a_hundred_redemptions_of_one_code_one_wins_and_nobody_keeps_it(
    product, app, api, ada, crowd
):
    code = code_of(product, "acme", app, ada, scope=OFFLINE)

    answers = await crowd.all([redemption(code)] * 100)

    assert statuses(answers).count(200) == 1
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert not api.is_active(won["access_token"])
    assert not api.is_active(won["refresh_token"])
    assert api.refresh(won["refresh_token"]).status_code == 400
    assert api.userinfo(won["access_token"]).status_code == 401


@pytest.mark.spec("RFC6749-4.1.2")
async def test_twenty_codes_ten_times_each_are_spent_twenty_times(product, app, ada, crowd):
    codes = [code_of(product, "acme", app, ada, scope="openid") for _ in range(20)]
    before = families(product)

    answers = await crowd.all([redemption(code) for _ in range(10) for code in codes])

    found = statuses(answers)
    winners = {}
    for n, status in enumerate(found):
        if status == 200:
            winners[n % 20] = winners.get(n % 20, 0) + 1
    assert winners == dict.fromkeys(range(20), 1)
    assert families(product) == before + 20


def families(product):
    (row,) = product.rows("select count(*) as n from insula.token_issues where kind = 'code'")
    return row.n


@pytest.mark.spec("RFC9700-4.14.2")
async def test_of_fifty_refreshes_of_one_token_one_lineage_lives(product, app, api, ada, crowd):
    token = tokens_of(product, "acme", app, ada)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}

    answers = await crowd.all([form] * 50)

    assert statuses(answers) == [200] * 50
    assert len({answer.content for answer in answers}) == 1  # one answer, given again
    successor = answers[0].json()["refresh_token"]
    assert api.refresh(successor).status_code == 200


@pytest.mark.spec("RFC9700-4.14.2")
async def test_without_grace_at_most_one_lineage_lives(product, ada, four_workers):
    app = product.app("acme", refresh_grace=0, **FAST)
    token = tokens_of(product, "acme", app, ada)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}

    async with Crowd(product, "acme", app, four_workers.port) as crowd:
        answers = await crowd.all([form] * 50)

    assert statuses(answers).count(200) == 1
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert Api(product, "acme", app).refresh(won["refresh_token"]).status_code == 400


async def test_a_code_spent_at_one_process_is_spent_at_all(product, app, api, ada, crowd):
    code = code_of(product, "acme", app, ada, scope=OFFLINE)
    first = api.redeem(code)
    assert first.status_code == 200

    answers = await crowd.all([redemption(code)] * 8)

    assert statuses(answers) == [400] * 8
    assert not api.is_active(first.json()["access_token"])


async def test_rotations_in_a_row_over_all_processes_keep_one_line(product, app, api, ada, crowd):
    token = tokens_of(product, "acme", app, ada)["refresh_token"]
    former = [token]
    for _ in range(12):
        (answer,) = await crowd.all([{"grant_type": "refresh_token", "refresh_token": token}])
        assert answer.status_code == 200, answer.text
        token = answer.json()["refresh_token"]
        former.append(token)
    assert api.is_active(token)

    assert api.refresh(former[0]).status_code == 400  # two parties hold it

    assert not api.is_active(token)


async def test_many_flows_side_by_side_mix_nothing_up(product, app, ada, crowd):
    codes = [
        code_of(product, "acme", app, ada, scope="openid", nonce=f"nonce-{n}") for n in range(20)
    ]

    answers = await crowd.all([redemption(code) for code in codes])

    assert statuses(answers) == [200] * 20
    tokens = [answer.json()["access_token"] for answer in answers]
    assert len(set(tokens)) == 20
