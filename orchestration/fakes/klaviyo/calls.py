"""The calls that Klaviyo's fake answers, and the rules it enforces, each with Klaviyo's words.

Belongs here: the two tables and nothing that acts. Does not belong here: enforcing them (`app`).
The words are those of Klaviyo's own API file of revision 2026-07-15, against which a test holds
them; a rule without words stands on the page that it names.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.fakes.rules import Rule, Rules

MEDIA_TYPE = "application/vnd.api+json"
_FILES = "https://raw.githubusercontent.com/klaviyo/openapi/main/openapi/stable/apis/"
_ERRORS = "https://developers.klaviyo.com/en/v2026-07-15/docs/rate_limits_and_error_handling"
_BULK = "https://developers.klaviyo.com/en/docs/use_klaviyos_bulk_profile_import_api"
_BILLING = "https://help.klaviyo.com/hc/en-us/articles/33136281415451"


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its address in the API file, what a key needs for it, and how often it may come."""

    name: str
    method: str
    path: str
    scopes: frozenset[str]
    burst: int
    steady: int
    file: str

    @property
    def words(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    @property
    def page(self) -> str:
        """Where Klaviyo describes it."""
        return f"{_FILES}{self.file}.json"


def _call(
    name: str, call: str, scopes: str, windows: tuple[int, int], file: str
) -> tuple[str, Call]:
    method, path = call.split()
    return name, Call(name, method, path, frozenset(scopes.split()), *windows, file)


_READS = (75, 750)
_JOBS = (10, 150)
CALLS = dict(
    (
        _call("profiles", "GET /api/profiles", "profiles:read", _READS, "get_profiles"),
        _call("lists", "GET /api/lists", "lists:read", _READS, "get_lists"),
        _call("list", "GET /api/lists/{id}", "lists:read", _READS, "get_list"),
        _call(
            "members",
            "GET /api/lists/{id}/profiles",
            "lists:read profiles:read",
            _READS,
            "get_profiles_for_list",
        ),
        _call(
            "add_to_list",
            "POST /api/lists/{id}/relationships/profiles",
            "lists:write profiles:write",
            _JOBS,
            "add_profiles_to_list",
        ),
        _call(
            "remove_from_list",
            "DELETE /api/lists/{id}/relationships/profiles",
            "lists:write profiles:write",
            _JOBS,
            "remove_profiles_from_list",
        ),
        _call(
            "import",
            "POST /api/profile-bulk-import-jobs",
            "lists:write profiles:write",
            _JOBS,
            "bulk_import_profiles",
        ),
        _call(
            "jobs",
            "GET /api/profile-bulk-import-jobs",
            "lists:read profiles:read",
            _JOBS,
            "get_bulk_import_profiles_jobs",
        ),
        _call(
            "job",
            "GET /api/profile-bulk-import-jobs/{job_id}",
            "lists:read profiles:read",
            _JOBS,
            "get_bulk_import_profiles_job",
        ),
        _call(
            "import_errors",
            "GET /api/profile-bulk-import-jobs/{id}/import-errors",
            "profiles:read",
            _JOBS,
            "get_errors_for_bulk_import_profiles_job",
        ),
        _call(
            "subscribe",
            "POST /api/profile-subscription-bulk-create-jobs",
            "lists:write profiles:write subscriptions:write",
            _READS,
            "bulk_subscribe_profiles",
        ),
        _call(
            "unsubscribe",
            "POST /api/profile-subscription-bulk-delete-jobs",
            "lists:write profiles:write subscriptions:write",
            _READS,
            "bulk_unsubscribe_profiles",
        ),
        _call(
            "suppress",
            "POST /api/profile-suppression-bulk-create-jobs",
            "profiles:write subscriptions:write",
            _READS,
            "bulk_suppress_profiles",
        ),
        _call(
            "events",
            "POST /api/event-bulk-create-jobs",
            "events:write",
            _JOBS,
            "bulk_create_events",
        ),
        _call(
            "delete",
            "POST /api/data-privacy-deletion-jobs",
            "data-privacy:write",
            (3, 60),
            "request_profile_deletion",
        ),
    )
)


def _rule(name: str, call: str, field: str, limit: int | str, answer: str, words: str) -> Rule:
    """A rule that Klaviyo's description of the call has in these words."""
    return Rule(name, CALLS[call].words, field, limit, answer, CALLS[call].page, words)


_EVERY = (
    Rule("key", "every call", "header Authorization", "Klaviyo-API-Key and the key",
         "401 not_authenticated", _ERRORS),
    Rule("scope", "every call", "scopes of the key", "those of the call",
         "403 permission_denied", _ERRORS),
    Rule("revision", "every call", "header revision", "a date, not retired",
         "400 missing_revision", _ERRORS),
    Rule("media_type", "every call with a body", "header Content-Type", MEDIA_TYPE,
         "415 unsupported_media_type", _ERRORS),
    Rule("throttle", "every call", "requests in a second and in a minute", "as listed by call",
         "429 throttled", _ERRORS),
    Rule("known", "every call", "ids in the address", "what there is", "404 not_found", _ERRORS),
    Rule("shape", "every call", "the body", "the call's schema", "400 invalid", _ERRORS),
    Rule("filter", "GET", "filter, sort, page[cursor]", "what the call allows", "400 invalid",
         _ERRORS),
)  # fmt: skip
_OF_CALLS = (
    _rule("page_size", "profiles", "page[size]", 100, "400 invalid",
          "Default: 20. Min: 1. Max: 100."),
    _rule("import_rows", "import", "profiles", 10_000, "400 invalid",
          "Accepts up to 10,000 profiles per request."),
    _rule("import_bytes", "import", "bytes of the body", 5_000_000, "400 invalid",
          "The maximum allowed payload size is 5MB."),
    _rule("profile_bytes", "import", "bytes of a profile", 100_000, "400 invalid",
          "The maximum allowed payload size per-profile is 100KB."),
    Rule("import_later", CALLS["import"].words, "status", "queued, processing, complete",
         "202, applied later; a profile that is wrong is an import error", _BULK),
    Rule("import_keeps_refusals", CALLS["import"].words, "subscriptions", "none",
         "a suppressed profile stays suppressed; nobody is subscribed", _BULK),
    _rule("errors_page", "import_errors", "page[size]", 20, "20 a page unless asked",
          "Default: 20. Min: 1. Max: 100."),
    _rule("list_rows", "add_to_list", "profiles", 1000, "400 invalid",
          "This endpoint accepts a maximum of 1000 profiles per call."),
    _rule("list_fires", "add_to_list", "profiles new on the list", "each",
          '204; flows of "added to list" fire',
          "Add a profile to a list with the given list ID."),
    _rule("list_removal_rows", "remove_from_list", "profiles", 1000, "400 invalid",
          "This endpoint accepts a maximum of 1000 profiles per call."),
    _rule("list_removal_keeps_consent", "remove_from_list", "consent", "none", "204; consent stays",
          "Removing a profile from a list will not impact the profile's [consent]"),
    _rule("subscribe_rows", "subscribe", "profiles", 1000, "400 invalid",
          "Maximum number of profiles can be submitted for subscription: 1000"),
    _rule("subscribe_lifts", "subscribe", "suppressions",
          "UNSUBSCRIBE, SPAM_COMPLAINT, USER_SUPPRESSED", "202; lifted",
          "will remove any `UNSUBSCRIBE`, `SPAM_REPORT` or `USER_SUPPRESSED` suppressions"),
    _rule("historical", "subscribe", "consented_at", "with historical_import", "400 invalid",
          "If `historical_import` is set to true, the `consented_at` field is required"),
    _rule("unsubscribe_rows", "unsubscribe", "profiles", 100, "400 invalid",
          "Maximum number of profiles per call: 100"),
    _rule("unsubscribe_globally", "unsubscribe", "profiles not on the list", "each",
          "202; unsubscribed from everything",
          "Profiles not in the specified list will be globally unsubscribed."),
    _rule("suppress_rows", "suppress", "profiles", 100, "400 invalid",
          "Email address per request limit: 100"),
    _rule("event_rows", "events", "events", 1000, "400 invalid",
          "Accepts up to 1,000 events per request."),
    _rule("event_bytes", "events", "bytes of the body", 5_000_000, "400 invalid",
          "The maximum allowed payload size is 5MB."),
    Rule("event_once", CALLS["events"].words, "unique_id", "one per profile and metric",
         "202; the first one stays", "https://developers.klaviyo.com/en/reference/create_event"),
    _rule("delete_one", "delete", "identifiers", 1, "400 invalid",
          "If multiple identifiers are provided, we will return an error."),
    _rule("delete_later", "delete", "profiles", "all that match", "202; gone later",
          "The deletion occurs asynchronously"),
    Rule("billed", "state", "mailable", "an address, no unsubscription, no suppression",
         "counted as billed", _BILLING),
)  # fmt: skip
RULES = Rules((*_EVERY, *_OF_CALLS))
