"""Where Redis is can be set as one URL, or in parts."""

from typing import Self

import pytest
from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from framework.app.settings import Settings, load_settings
from framework.errors import SettingsError
from framework.store.address import Address


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_URL", "FRAMEWORK_REDIS_URL", "REDIS_HOST", "FRAMEWORK_REDIS_HOST"):
        monkeypatch.delenv(name, raising=False)


class ShiftSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="shift_", extra="ignore")

    hours: int = 8
    redis_rows: int = 100


def made(**told: object) -> Settings:
    return Settings(_env_file=None, **told)  # type: ignore[arg-type]  # whatever a test sets


def test_parts_make_a_url() -> None:
    settings = made(
        redis_host="h",
        redis_port=7000,
        redis_username="u",
        redis_password=SecretStr("p/@"),
        redis_db=2,
    )

    assert settings.url == "redis://u:p%2F%40@h:7000/2"


def test_several_hosts_may_be_sentinels() -> None:
    settings = made(
        redis_host="a,b:26380",
        redis_sentinel_master="main",
        redis_sentinel_password=SecretStr("s&1"),
        redis_db=1,
        redis_tls=True,
    )

    address = Address(settings.url)

    assert (address.kind, address.name) == ("sentinel", "main of a:26379,b:26380")
    assert (address.db, address.sentinel_login.password) == (1, "s&1")
    assert address.tls is not None


def test_several_hosts_may_be_a_cluster() -> None:
    settings = made(redis_host="a, b:7001,[::1]", redis_cluster=True, redis_port=7000)

    address = Address(settings.url)

    assert (address.kind, address.name) == ("cluster", "a:7000,b:7001,[::1]:7000")


def test_files_for_tls_go_with_a_url_too() -> None:
    settings = made(
        redis_url=SecretStr("rediss://h"),
        redis_tls_ca="/a b/ca.pem",
        redis_tls_check_hostname=False,
    )

    address = Address(settings.url)

    assert address.tls == {
        "ssl_ca_certs": "/a b/ca.pem",
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": False,
    }


def test_no_password_is_shown() -> None:
    settings = made(
        redis_url=SecretStr("redis://:hunter2@h"),
        redis_password=SecretStr("hunter2"),
        redis_sentinel_password=SecretStr("hunter2"),
    )

    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


def test_settings_of_a_plugin_are_named_as_they_are_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHIFT_HOURS", "hunter2")
    monkeypatch.setenv("SHIFT_REDIS_ROWS", "hunter2")

    with pytest.raises(SettingsError) as raised:
        load_settings(ShiftSettings)

    (hours, rows) = str(raised.value).split("; ")
    assert hours.startswith("SHIFT_HOURS: ")
    assert rows.startswith("SHIFT_REDIS_ROWS: ")
    assert "hunter2" not in str(raised.value)


def test_what_a_plugin_reads_has_the_type_of_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIFT_HOURS", "6")

    settings: ShiftSettings = load_settings(ShiftSettings)

    assert settings.hours == 6


class CrewSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CREW_")

    names: list[str] = []
    least: int = 0
    most: int = 9

    @model_validator(mode="after")
    def fit(self) -> Self:
        if self.least > self.most:
            raise ValueError("least is more than most")
        return self


def test_settings_that_do_not_fit_together_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREW_LEAST", "10")

    with pytest.raises(SettingsError, match=r"least is more than most\. Mend it in"):
        load_settings(CrewSettings)


def test_a_list_that_is_no_json_is_told_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREW_NAMES", "ada, bob")

    with pytest.raises(SettingsError, match=r'"names".*Lists and objects are written as JSON'):
        load_settings(CrewSettings)
