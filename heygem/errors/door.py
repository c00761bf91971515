"""Addresses, logins and other sites."""

from __future__ import annotations

from heygem.errors.base import HeyGemError


class AddressRefused(HeyGemError):
    code = "address.refused"
    template = "“{address}” is not called: {reason}."
    remedy = "Give an http or https address on the internet, or let the administrator set HEYGEM_WEBHOOK_PRIVATE=true."


class AddressUnknown(HeyGemError):
    code = "address.unknown"
    template = "The name “{host}” cannot be found in the network."
    remedy = "Check the spelling of the address."


class WebhookFailed(HeyGemError):
    code = "webhook.failed"
    template = "“{host}” did not take the message: {reason}."
    remedy = "Check that the service at this address runs and answers with a status from 200 to 299."


class NotifyRefused(HeyGemError):
    code = "notify.refused"
    template = "{channel} does not take messages with these settings: {reason}."
    remedy = "Compare the settings of {channel} with docs/notify.md, then try “heygem notify test”."


class NotifyFailed(HeyGemError):
    """wait: seconds during which the other side takes nothing at all."""

    code = "notify.failed"
    template = "{channel} did not take the message: {reason}."
    remedy = "It is tried again by itself; if it stays so, check the network and try “heygem notify test”."

    @property
    def wait(self) -> float:
        return float(self.details.get("wait", 0))


class LoginMissing(HeyGemError):
    code = "login.missing"
    template = "This needs a login or a valid token."
    remedy = "Log in at /login, or send the header “Authorization: Bearer TOKEN”."


class OriginRefused(HeyGemError):
    code = "origin.refused"
    template = "Requests from pages of “{origin}” are not accepted."
    remedy = "Send it from the page of HeyGem itself, or let the administrator add this origin to HEYGEM_CORS_ORIGINS."


class UsersUnusable(HeyGemError):
    code = "users.unusable"
    template = "The file of users “{name}” cannot be used: {reason}."
    remedy = "Mend the file; until then nobody can log in. Without the file everybody may use the page."
