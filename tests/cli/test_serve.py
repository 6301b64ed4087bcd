import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

PASSWORD = "a fork in the garden"


def ask(url, path, **headers):
    link = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    link.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = link.getresponse()
    found = (answer.status, answer.headers, answer.read().decode())
    link.close()
    return found


@pytest.fixture
def serving(project):
    """Starts `citepoll serve` at a free port; returns the process and the address that it printed."""
    started = []

    def start(*arguments):
        command = [sys.executable, "-m", "citepoll.main", "serve", "--port", "0", "--no-open", *arguments]
        running = subprocess.Popen(command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(running)
        return running, running.stdout.readline().strip()

    yield start
    for running in started:
        running.kill()
        running.communicate(timeout=20)


def test_serve_prints_an_address_that_lets_in_once_and_ends_on_a_signal(serving):
    running, url = serving()
    assert urlsplit(url).path.startswith("/enter/")
    status, headers, _ = ask(url, urlsplit(url).path)
    assert status == 303
    cookie = headers["set-cookie"].split(";")[0]
    status, _, text = ask(url, "/", cookie=cookie)
    assert status == 200
    assert "/p/project/" in text
    assert ask(url, urlsplit(url).path)[0] == 403
    assert ask(url, "/")[0] == 401
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert "Traceback" not in said
    assert urlsplit(url).path.removeprefix("/enter/") not in said


def test_a_browser_is_started_without_the_token_on_its_command_line(project, tmp_path):
    seen, browser = tmp_path / "seen", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {seen}.new\nmv {seen}.new {seen}\n', "utf-8")
    browser.chmod(0o700)
    command = [sys.executable, "-m", "citepoll.main", "serve", "--port", "0"]
    ours, theirs = os.openpty()
    environment = {**os.environ, "BROWSER": f"{browser} %s"}
    running = subprocess.Popen(command, cwd=project.root, stdout=theirs, stderr=subprocess.DEVNULL, env=environment)
    try:
        url = os.read(ours, 1000).decode().split()[0]
        for _ in range(200):
            if seen.exists():
                break
            time.sleep(0.05)
        started_with = urlsplit(seen.read_text("utf-8"))
        opener = Path(started_with.path)
        assert started_with.scheme == "file"
        assert opener.stat().st_mode & 0o077 == 0
        assert url in opener.read_text("utf-8")
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(timeout=30)
        os.close(ours)
        os.close(theirs)
    assert not opener.exists()


def test_with_an_owner_serve_prints_no_secret(serving, citepoll, monkeypatch, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n", "utf-8")
    assert citepoll("user", "add", "olga", "--role", "owner", "--password-file", secret).code == 0
    _, url = serving()
    assert not urlsplit(url).path
    assert ask(url, "/")[1]["location"] == "/login?next=%2F"


@pytest.mark.parametrize(
    "options", [("--host", "0.0.0.0"), ("--public-url", "https://a.example"), ("--trusted-proxy", "127.0.0.1")]
)
def test_without_accounts_nothing_reaches_the_server_from_elsewhere(citepoll, options):
    said = citepoll("serve", "--no-open", *options)
    assert said.code == 4
    assert "has no accounts" in said.err
    assert "citepoll user add" in said.err


def test_a_server_for_others_must_know_its_name(citepoll, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(PASSWORD, "utf-8")
    citepoll("user", "add", "olga", "--role", "owner", "--password-file", secret)
    said = citepoll("serve", "--no-open", "--host", "0.0.0.0")
    assert said.code == 4
    assert "--public-url" in said.err


def test_a_port_in_use_is_told_in_words(citepoll):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = citepoll("serve", "--no-open", "--port", taken.getsockname()[1])
    assert said.code == 4
    assert "--port" in said.err


def test_a_folder_that_is_not_there_is_told(citepoll):
    assert "There is no folder" in citepoll("serve", "nowhere", "--no-open").err


def test_a_password_is_read_from_standard_input_or_a_file_and_has_twelve_characters(citepoll, process, tmp_path):
    said = process("user", "add", "olga", "--role", "owner", shell=f"<<< '{PASSWORD}'")
    assert said.code == 0, said.err
    short = tmp_path / "short"
    short.write_text("too short", "utf-8")
    refused = citepoll("user", "password", "olga", "--password-file", short)
    assert refused.code == 4
    assert "9 characters" in refused.err
    assert "too short" not in refused.err
    assert citepoll("user", "password", "olga", "--password-file", tmp_path / "none").code == 4
    assert process("user", "password", "olga", shell="< /dev/null").code == 4


def test_users_are_listed_changed_and_removed(citepoll, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(PASSWORD, "utf-8")
    for name, role in (("Olga", "owner"), ("viktor", "viewer")):
        assert citepoll("user", "add", name, "--role", role, "--password-file", secret).code == 0
    assert "already" in citepoll("user", "add", "OLGA", "--role", "owner", "--password-file", secret).err
    assert "not a role" in citepoll("user", "role", "viktor", "boss").err
    assert citepoll("user", "role", "viktor", "analyst", "--project", "acme").code == 0
    listed = json.loads(citepoll("user", "list", "--json").out)
    assert [(user["name"], user["role"], user["projects"]) for user in listed] == [
        ("olga", "owner", None),
        ("viktor", "analyst", ["acme"]),
    ]
    assert "argon2" not in citepoll("user", "list", "--json").out
    assert "only owner" in citepoll("user", "remove", "olga", "--yes").err
    assert citepoll("user", "remove", "viktor", "--yes").code == 0
    assert "Users here: olga" in citepoll("user", "password", "viktor", "--password-file", secret).err
    assert "user removed" in citepoll("user", "log").out
    assert "olga" in citepoll("user", "list").out


def test_a_token_is_shown_once_and_ends_when_it_is_revoked(citepoll, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(PASSWORD, "utf-8")
    citepoll("user", "add", "olga", "--role", "owner", "--password-file", secret)
    made = citepoll("token", "make", "olga", "--name", "nightly", "--scope", "write")
    assert made.out.startswith("cpt_")
    listed = citepoll("token", "list", "--json")
    assert made.out.strip() not in listed.out
    assert json.loads(listed.out)[0]["scope"] == "write"
    assert "not a scope" in citepoll("token", "make", "olga", "--name", "x", "--scope", "all").err
    assert citepoll("token", "revoke", "1").code == 0
    assert "revoked" in citepoll("token", "list").out
    assert "no token 9" in citepoll("token", "revoke", "9").err
    assert json.loads(citepoll("token", "make", "olga", "--name", "y", "--json").out)["token"].startswith("cpt_")


def test_the_accounts_file_is_its_owners_only(citepoll, project, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(PASSWORD, "utf-8")
    citepoll("user", "add", "olga", "--role", "owner", "--password-file", secret)
    assert os.stat(project.data / "desk.db").st_mode & 0o077 == 0
