import re

import pytest
from litestar._parsers import parse_url_encoded_form_data

from citepoll.errors import InputError
from citepoll.service import accounts, sessions
from citepoll.service.sessions import secret_hash
from citepoll.surfaces.dashboard.page import own_path


def said(desk):
    return [(entry.who, entry.what) for entry in desk.accounts.audit()]


def test_without_accounts_the_printed_address_lets_in_one_browser_once(desk, browser):
    first, second = browser(), browser()
    assert first.get("/").status_code == 401
    assert first.get(f"/enter/{desk.token}").headers["location"] == "/"
    assert first.get("/").status_code == 200
    again = second.get(f"/enter/{desk.token}")
    assert again.status_code == 403
    assert "was used already" in again.text
    assert second.get("/").status_code == 401
    assert desk.token not in "".join(str(entry) for entry in desk.accounts.audit())


def test_an_invented_address_lets_nobody_in(desk, browser):
    assert browser().get("/enter/" + "x" * 43).status_code == 403
    assert desk.accounts.use_entry(secret_hash(desk.token), desk.clock()) == "fresh"


def test_the_printed_address_and_its_sessions_end_with_the_first_account(desk, browser, clock):
    inside = browser()
    inside.get(f"/enter/{desk.token}")
    assert desk.reader_of_bearer(desk.token).may("write")
    accounts.add_user(desk.accounts, "olga", "a fork in the garden", "owner", None, clock())
    assert inside.get("/").headers["location"] == "/login?next=%2F"
    assert inside.get(f"/enter/{desk.token}").status_code == 403
    assert not desk.reader_of_bearer(desk.token).rights


def test_without_accounts_there_is_no_login_page(browser):
    found = browser().get("/login")
    assert found.status_code == 401
    assert "Open the address" in found.text


def test_login_leads_to_the_page_that_was_asked_for(people, browser):
    asking = browser()
    sent = asking.get("/projects-of-mine?x=1")
    assert sent.status_code == 404
    assert asking.get("/").headers["location"] == "/login?next=%2F"
    assert asking.log_in("Viktor", next="/glossary").headers["location"] == "/glossary"
    assert "Log out viktor" in asking.get("/").text


def test_login_leads_nowhere_else(people, browser):
    for elsewhere in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil",
        "",
    ):
        assert browser().log_in("viktor", next=elsewhere).headers["location"] == "/"
        assert own_path(elsewhere) == "/"
    assert own_path("/p/acme/?a=b&c") == "/p/acme/?a=b&c"


def test_a_wrong_password_says_no_more_than_a_wrong_name(desk, people, browser):
    wrong, unknown = browser().log_in("viktor", "not the password"), browser().log_in("nemo", "not the password")
    assert wrong.status_code == unknown.status_code == 403
    plain = [re.sub(r"[0-9a-f]{128}|viktor|nemo", "", found.text) for found in (wrong, unknown)]
    assert plain[0] == plain[1]
    assert said(desk)[:2] == [("unknown name", "login failed"), ("viktor", "login failed")]
    assert "nemo" not in str(desk.accounts.audit())


def test_logins_are_throttled_by_name_and_address_and_the_window_ends(desk, people, browser, clock):
    asking = browser()
    for _ in range(sessions.PER_NAME_AND_ADDRESS):
        assert asking.log_in("viktor", "not the password").status_code == 403
    turned = asking.log_in("viktor")
    assert turned.status_code == 429
    assert turned.headers["retry-after"] == "900"
    assert asking.log_in("anna").status_code == 303
    clock.ahead(minutes=16)
    assert browser().log_in("viktor").status_code == 303


def test_an_address_is_throttled_over_all_names_and_own_logins_do_not_free_it(desk, people, clock):
    for n in range(sessions.PER_ADDRESS - 1):
        sessions.log_in(desk.accounts, f"name{n}", "not the password", "10.0.0.1", clock())
    assert isinstance(sessions.log_in(desk.accounts, "anna", "a fork in the garden", "10.0.0.1", clock()), str)
    sessions.log_in(desk.accounts, "nemo", "not the password", "10.0.0.1", clock())
    assert isinstance(
        sessions.log_in(desk.accounts, "anna", "a fork in the garden", "10.0.0.1", clock()), sessions.Turned
    )
    assert isinstance(sessions.log_in(desk.accounts, "anna", "a fork in the garden", "10.0.0.2", clock()), str)


def test_login_makes_a_new_session_and_ends_the_one_before(desk, people, browser):
    asking = browser("viktor")
    before = asking.client.cookies[desk.cookie]
    asking.client.get("/login", follow_redirects=False)
    asking.post("/login", {"name": "anna", "password": "a fork in the garden"})
    assert asking.client.cookies[desk.cookie] != before
    assert desk.accounts.session(secret_hash(before)) is None


def test_a_planted_session_is_never_taken_over(desk, people, browser):
    asking = browser()
    asking.client.cookies.set(desk.cookie, "planted")
    asking.log_in("viktor")
    assert desk.accounts.session(secret_hash("planted")) is None


def test_sessions_end_with_logout_time_role_password_and_removal(desk, people, browser, clock):
    asking = browser("viktor")
    gone = asking.post("/logout")
    assert gone.headers["location"] == "/login"
    assert gone.headers["clear-site-data"] == '"cache"'
    assert asking.get("/").status_code == 303
    ends = (
        lambda: accounts.set_role(desk.accounts, people["viktor"], "analyst", None, clock()),
        lambda: accounts.set_password(desk.accounts, people["viktor"], "a fork in the garden", clock()),
        lambda: clock.ahead(days=8),
        lambda: accounts.remove_user(desk.accounts, people["viktor"], clock()),
    )
    for end in ends:
        asking = browser("viktor")
        end()
        assert asking.get("/").status_code == 303


def test_a_session_in_use_ends_after_thirty_days(desk, people, browser, clock):
    asking = browser("viktor")
    for _ in range(6):
        clock.ahead(days=5)
        assert asking.get("/").status_code == 200
    clock.ahead(days=1)
    assert asking.get("/").status_code == 303


def test_secrets_are_kept_as_hashes(desk, people, browser, token):
    secret = token("anna")
    asking = browser("anna")
    held = b"".join(path.read_bytes() for path in desk.accounts.path.parent.glob("desk.db*"))
    for text in (secret, desk.token, asking.client.cookies[desk.cookie], "a fork in the garden"):
        assert text.encode() not in held
    assert desk.accounts.path.stat().st_mode & 0o077 == 0


def test_no_password_stays_in_the_memory_of_forms(people, browser):
    assert browser().log_in("Viktor").status_code == 303
    assert parse_url_encoded_form_data.cache_info().currsize == 0


def test_a_revoked_token_is_nobody(desk, people, token, clock):
    secret = token("anna", "write", "acme")
    reader = desk.reader_of_bearer(secret)
    assert reader.rights == {"read", "write"}
    assert reader.sees("acme")
    assert not reader.sees("other")
    sessions.revoke_token(desk.accounts, 1, clock())
    assert not desk.reader_of_bearer(secret).rights


def test_a_token_never_may_more_than_its_user(desk, people, token):
    assert desk.reader_of_bearer(token("viktor", "write")).rights == {"read"}
    assert not desk.reader_of_bearer(token("ottilie", "read", "acme")).sees("acme")
    assert not desk.reader_of_bearer(token("olga", "write")).may("own")


def test_the_last_owner_stays(desk, people, clock):
    for change in (
        lambda: accounts.remove_user(desk.accounts, people["olga"], clock()),
        lambda: accounts.set_role(desk.accounts, people["olga"], "viewer", None, clock()),
    ):
        with pytest.raises(InputError, match="only owner"):
            change()


def test_without_the_token_there_is_no_page(desk, app, browser):
    for route in app.routes:
        if "GET" in getattr(route, "methods", ()) and "{" not in route.path:
            assert browser().get(route.path).status_code == 401, route.path
