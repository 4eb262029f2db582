"""What AWS's quotas and the latency allow, and what design.md 4.4 predicts: pure arithmetic."""
import collections

from awssim import seconds_of

# Calls a second of an account and region, or of the organization (the documented defaults).
LIST_ACCOUNTS_PER_S, LIST_ACCOUNTS_BURST = 5, 8
DETAILS_PER_S = 10  # Describe, Get and ListTags: each its own
DETAILS_BURST = 10  # one second's worth
NEAR_END_S = 60 * 86400  # AWS renews by itself from here on
NEVER_ISSUED = ("PENDING_VALIDATION", "VALIDATION_TIMED_OUT", "FAILED")
BEFORE_ACCOUNTS = 2  # who am I, which roots: each waits for the one before
BEFORE_DETAILS = 3  # role, regions, list


def waits_s(calls, per_s, burst):
    """How long the last of so many calls waits for its token."""
    return max(0.0, (calls - burst) / per_s)


def wall_bound(truth, latency_s, slots, calls):
    """No client can be faster; the terms that it is the largest of, in seconds.

    details: an account-region waits for the tokens of its certificates, after everything that has
    to be known before. accounts: the same for the unit that is listed last. slots: every one of
    the calls occupies one of the slots (requests in flight) for the latency.
    """
    depth = {truth["root_id"]: 0}
    for unit in truth["units"]:  # parents come first
        depth[unit["unit_id"]] = depth[unit["parent_id"]] + 1
    in_pair = collections.Counter((c["account_id"], c["region"]) for c in truth["certificates"])
    longest = collections.defaultdict(float)  # by parent: its slowest account-region
    for account in truth["accounts"]:
        steps = BEFORE_ACCOUNTS + depth[account["unit_id"]] + 1 + BEFORE_DETAILS + 1
        for one in account["coverage"]:
            count = in_pair[account["account_id"], one["region"]]
            end_s = steps * latency_s + waits_s(count, DETAILS_PER_S, DETAILS_BURST)
            longest[account["unit_id"]] = max(longest[account["unit_id"]], end_s)
    return {
        "details": max(longest.values()),
        "accounts": waits_s(len(depth), LIST_ACCOUNTS_PER_S, LIST_ACCOUNTS_BURST)
        + min(longest.values()),
        "slots": calls * latency_s / slots,
    }


def rescan_calls(truth, now_s, changed=()):
    """Calls of a cycle over what the store already has: {operation: count}, and why.

    changed: ARNs whose summary differs from the stored one. A certificate whose details could not
    be read is asked again in full; what has no PEM gets no Get.
    """
    changed = set(changed)
    why = collections.Counter()
    calls = collections.Counter()
    for account in truth["accounts"]:
        # Awssim's pages hold 1,000: none of the benchmark's account-regions has more.
        calls["ListCertificates"] += sum(one["state"] == "ok" for one in account["coverage"])
    for one in truth["certificates"]:
        reason = describe_reason(one, now_s, changed)
        if reason is None:
            continue
        why[reason] += 1
        calls["DescribeCertificate"] += 1
        if reason in ("changed", "unreadable"):
            calls["GetCertificate"] += one["status"] not in NEVER_ISSUED
            calls["ListTagsForCertificate"] += 1
    return dict(calls), dict(why)


def describe_reason(certificate, now_s, changed):
    if certificate["arn"] in changed:
        return "changed"
    if certificate["describe_fails"] or certificate["get_fails"]:
        return "unreadable"
    if certificate["status"] == "PENDING_VALIDATION":
        return "pending"
    if certificate["type"] == "IMPORTED" or certificate["not_after"] is None:
        return None
    left_s = seconds_of(certificate["not_after"]) - now_s
    return "near its end" if 0 < left_s <= NEAR_END_S else None
