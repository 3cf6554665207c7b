"""Who may have an account, and where people sign in."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from twinhub.names import USERNAME_PATTERN
from twinhub.settings.section import SECRET_FILE, Section

GroupName = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class Accounts(Section):
    """Who may have an account, and where people sign in."""

    admin: str = Field("admin", pattern=USERNAME_PATTERN, description="Name of the first administrator.")
    sign_up: bool = Field(True, description="Whether people may ask for an account on the login page.")
    password_length: int = Field(10, ge=8, le=20, description="Shortest password accepted at sign-up.")
    failed_logins: int = Field(5, ge=1, description="Wrong passwords in a row before an account has to wait.")
    wait_s: int = Field(60, ge=1, description="Seconds such an account has to wait before the next try.")
    sign_in: Literal["local", "oidc", "gitlab", "github"] = Field(
        "local",
        description="Where people sign in. 'local': with accounts of this platform. 'oidc' (OpenID Connect), 'gitlab' "
        "and 'github': at a provider; local accounts go on working beside it, so that an administrator gets in when "
        "the provider is down.",
    )
    provider_url: str | None = Field(
        None,
        pattern=r"^(https://[^\s@?#]+|http://(localhost|127\.0\.0\.1)(:[0-9]+)?(/[^\s@?#]*)?)$",
        description="Address of the provider, with https: the issuer for 'oidc' (everything else is discovered), the "
        "server for 'gitlab' and 'github'. Empty: gitlab.com or github.com.",
    )
    provider_client_id: str | None = Field(
        None, min_length=1, description="What the provider calls this platform; it gives the id when you register."
    )
    provider_secret: str = Field(
        "sign-in", pattern=SECRET_FILE, description="File below secrets/, of mode 0600, with the client's secret."
    )
    provider_button: str | None = Field(
        None, max_length=60, description="Text of the button on the login page. Empty: 'Sign in with …'."
    )
    provider_scopes: list[str] = Field(
        default_factory=lambda: ["openid", "profile", "email", "groups"],
        description="For 'oidc': what is asked of the provider. Leave out 'groups' where it is unknown.",
    )
    username_claim: str = Field(
        "preferred_username",
        min_length=1,
        description="For 'oidc': the claim that becomes the user name at the first sign-in; 'email' gives the part "
        "before the '@'. Later the account is found by the provider's own identifier, whatever this claim says.",
    )
    groups_claim: str = Field("groups", min_length=1, description="For 'oidc': the claim that lists a person's groups.")
    allowed_groups: list[GroupName] = Field(
        default_factory=list,
        description="The provider's groups whose members may sign in; others are refused. '*' means everybody whom the "
        "provider knows. Empty: everybody may ask, and an administrator admits each person once.",
    )
    admin_groups: list[GroupName] = Field(
        default_factory=list,
        description="The provider's groups whose members are administrators. When set, it is decided anew at each "
        "sign-in at the provider.",
    )

    @model_validator(mode="after")
    def _provider_is_complete(self) -> Self:
        if self.sign_in == "local":
            return self
        if self.provider_client_id is None:
            raise ValueError(f"sign_in '{self.sign_in}' needs provider_client_id")
        if self.sign_in == "oidc" and self.provider_url is None:
            raise ValueError("sign_in 'oidc' needs provider_url, the issuer's address")
        return self
