"""The login of a Xero app: discovery, the consent page, the code, tokens with verified signatures, renewal."""

import base64
import hashlib
import secrets
import time
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import jwt
import urllib3
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import HTTPStatusException
from xero_python.identity import IdentityApi

SCOPES = (
    "openid profile email offline_access accounting.contacts accounting.invoices accounting.payments "
    "accounting.settings.read"
)


# The delay between two tries of a throttled call. The simulator's minute may be as short as a second.
PAUSE_SECONDS = 0.2
# Only ends a wait for what never happens: other checks use the machine meanwhile.
PATIENCE_SECONDS = 600


class PatientClient(ApiClient):
    """The SDK's client with a wait when the calls of a minute are used up, which the SDK leaves to the app."""

    def call_api(self, *arguments, **options):
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return super().call_api(*arguments, **options)
            except HTTPStatusException as error:
                if error.status != 429 or time.monotonic() > ends_at:
                    raise
            time.sleep(PAUSE_SECONDS)


class ConsentForm(HTMLParser):
    """The form of the consent page: its target, its hidden fields, the organisations that can be ticked."""

    def __init__(self, page):
        super().__init__()
        self.action, self.hidden, self.organisations, self.decisions = None, {}, [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes["action"]
        elif tag == "input" and attributes["type"] == "hidden":
            self.hidden[attributes["name"]] = attributes["value"]
        elif tag == "input" and attributes["type"] == "checkbox":
            self.organisations.append((attributes["name"], attributes["value"]))
        elif tag == "button":
            self.decisions.append((attributes["name"], attributes["value"]))


class Login:
    """Logs an app in at the identity service at `base`, acting as both browser and server."""

    def __init__(self, report, base, client_id, client_secret, redirect_uri):
        self.report, self.base = report, base
        self.client_id, self.client_secret, self.redirect_uri = client_id, client_secret, redirect_uri
        self.http = urllib3.PoolManager(timeout=PATIENCE_SECONDS, retries=False)
        self.token = None

    def discover(self):
        answer = self.http.request("GET", f"{self.base}/.well-known/openid-configuration")
        self.discovery = answer.json()
        wanted = ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"]
        missing = [name for name in wanted if not self.discovery.get(name)]
        self.report.equal("the discovery document has all fields that a login needs", missing, [])

    def consent(self):
        """Allows everything on the consent page and stores the code."""
        self.nonce, self.verifier, state = (secrets.token_urlsafe(48) for _ in range(3))
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPES,
            "state": state,
            "nonce": self.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        address = f"{self.discovery['authorization_endpoint']}?{urlencode(asked)}"
        page = self.http.request("GET", address)
        form = ConsentForm(page.data.decode())
        self.report.equal("the consent page is shown", page.status, 200)
        self.report.check("it offers to allow and to cancel", len(form.decisions) == 2, form.decisions)
        self.report.equal("it offers both organisations", len(form.organisations), 2)
        self.organisations = [id for _, id in form.organisations]
        fields = [*form.hidden.items(), *form.organisations]
        allow = next(decision for decision in form.decisions if decision[1] == "allow")
        answer = self.submit(urljoin(address, form.action), [*fields, allow])
        location = answer.headers.get("location", "")
        landed = parse_qs(urlsplit(location).query)
        self.report.equal("allowing redirects to the app", (answer.status, location.split("?")[0]),
                          (302, self.redirect_uri))
        self.report.equal("the state is returned", landed.get("state"), [state])
        self.code = landed["code"][0]

    def submit(self, address, fields, headers=None):
        headers = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self.http.request("POST", address, body=urlencode(fields), headers=headers, redirect=False)

    def redeem(self):
        """Exchanges the code for tokens."""
        fields = {"grant_type": "authorization_code", "code": self.code, "redirect_uri": self.redirect_uri,
                  "code_verifier": self.verifier}
        basic = urllib3.make_headers(basic_auth=f"{self.client_id}:{self.client_secret}")
        answer = self.submit(self.discovery["token_endpoint"], fields, basic)
        self.token = answer.json()
        self.report.equal("the code is exchanged for tokens", answer.status, 200)
        self.report.equal("every scope is granted", set(self.token["scope"].split()), set(SCOPES.split()))
        again = self.submit(self.discovery["token_endpoint"], fields, basic)
        self.report.equal("the code works once", (again.status, again.json()), (400, {"error": "invalid_grant"}))

    def verify_tokens(self):
        """Verifies the signatures with the keys at `jwks_uri`, as OpenID Connect requires of a client."""
        keys = jwt.PyJWKClient(self.discovery["jwks_uri"])

        def claims(token, audience):
            key = keys.get_signing_key_from_jwt(token)
            return jwt.decode(token, key, algorithms=["RS256"], audience=audience, leeway=5,
                              issuer=self.discovery["issuer"], options={"require": ["exp", "iat", "sub"]})

        id_token = self.token["id_token"]
        found = claims(id_token, self.client_id)
        self.report.check("the signature of the id_token can be verified", True)
        self.report.equal("the id_token repeats the nonce", found.get("nonce"), self.nonce)
        self.report.equal("it names the user", (found.get("email"), found.get("name")),
                          ("dana@ridgeway.example", "Dana Whitlock"))
        access = claims(self.token["access_token"], f"{self.discovery['issuer']}/resources")
        self.report.equal("the access token is signed for the same user", access["sub"], found["sub"])
        head, body, signature = id_token.split(".")
        replaced = "A" if signature[9] != "A" else "B"
        forged = f"{head}.{body}.{signature[:9]}{replaced}{signature[10:]}"
        for what, token, audience in [("a changed signature", forged, self.client_id),
                                      ("another audience", id_token, "another app")]:
            try:
                claims(token, audience)
                self.report.check(f"{what} is refused", False)
            except jwt.InvalidTokenError:
                self.report.check(f"{what} is refused", True)

    def client(self):
        """The SDK's client with these tokens. It renews them by itself and stores the new ones here."""
        # The SDK knows only the URLs of the real Xero.
        TokenApi.refresh_token_url = self.discovery["token_endpoint"]
        TokenApi.revoke_token_url = self.discovery["revocation_endpoint"]
        self.oauth = OAuth2Token(client_id=self.client_id, client_secret=self.client_secret)
        self.token["scope"] = self.token["scope"].split()

        def save(token):
            self.token = token

        self.sdk = PatientClient(Configuration(oauth2_token=self.oauth), oauth2_token_getter=lambda: self.token,
                                 oauth2_token_saver=save)
        self.identity = IdentityApi(self.sdk, base_url=self.base)
        return self.sdk

    def list_connections(self):
        connections = self.identity.get_connections()
        self.report.equal("the connections are the ticked organisations",
                          {connection.tenant_id for connection in connections}, set(self.organisations))
        kinds = {connection.tenant_type for connection in connections}
        self.report.equal("each is an organisation", kinds, {"ORGANISATION"})
        return {connection.tenant_name: connection.tenant_id for connection in connections}

    def renew(self):
        """Renews the tokens as the SDK does when they expire."""
        before = self.token
        # In the past, so that the next call renews the token.
        self.token = {**before, "expires_at": 1}
        connections = self.identity.get_connections()
        self.report.check("the SDK renews expired tokens before a call", len(connections) == 2)
        changed = [name for name in ("access_token", "refresh_token") if self.token[name] != before[name]]
        self.report.equal("both tokens are new", changed, ["access_token", "refresh_token"])

    def revoke(self):
        """Revokes the grant, and checks that it cannot be renewed afterwards."""
        refresh_token = self.token["refresh_token"]
        self.report.check("the SDK revokes the grant", self.oauth.revoke_access_token(self.sdk))
        tokens = TokenApi(self.sdk, self.client_id, self.client_secret)
        try:
            tokens.refresh_token(refresh_token, SCOPES.split())
            self.report.check("a revoked grant cannot be renewed", False)
        except HTTPStatusException as error:
            self.report.equal("a revoked grant cannot be renewed", error.status, 400)
