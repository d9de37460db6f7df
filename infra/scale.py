"""Computes what the product costs and where it reaches a limit, by the number of accounts.

The counts come from `scale-counts.json`: tests assert those under `asserted`; those under `assumed` describe customers
and times that were not measured on AWS. Without an argument the script writes its tables into `docs/scale.md` and
`infra/deploying.md`, between the comments `made by infra/scale.py` and `end`; with `--check` it fails if they differ.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]
BEGIN = "<!-- made by infra/scale.py: {} -->"
END = "<!-- end -->"
MILLION = 1_000_000


def read_counts():
    """The counts, assumptions, prices and limits."""
    sections = json.loads((ROOT / "infra/scale-counts.json").read_text())
    names = sections["asserted"] | sections["assumed"]
    return SimpleNamespace(**names), SimpleNamespace(**sections["prices"]), SimpleNamespace(**sections["limits"])


COUNT, PRICE, LIMIT = read_counts()
POLLS = COUNT.days_in_a_month * 24 * 60 / COUNT.minutes_between_polls
SWEEPS = COUNT.days_in_a_month * 24 * 60 / COUNT.minutes_between_sweeps
RENEWALS = COUNT.days_in_a_month * 24 * 60 / COUNT.minutes_between_renewals
WRITES = COUNT.invoices_a_month * COUNT.write_units_of_an_invoice + POLLS * COUNT.write_units_of_a_poll \
    + COUNT.days_in_a_month * COUNT.write_units_of_the_daily_check
READS = COUNT.invoices_a_month * COUNT.read_units_of_an_invoice + POLLS * COUNT.read_units_of_a_poll \
    + COUNT.days_in_a_month * COUNT.read_units_of_the_daily_check
# Tokens that are read without a renewal: for every other poll, and for each push.
TOKEN_READS = POLLS / 2 + COUNT.invoices_a_month
SECRET_CALLS = RENEWALS * (COUNT.secret_reads_of_a_renewal + COUNT.secret_writes_of_a_renewal) + TOKEN_READS


def lambda_cost():
    """The cost of each account: pushes, a part of a chunk's poll, wake-ups."""
    second = COUNT.memory_gb * PRICE.lambda_gb_second
    request = PRICE.lambda_million_requests / MILLION
    pushes = (COUNT.invoices_a_month + COUNT.wake_ups_a_month) * (COUNT.seconds_of_a_push * second + request)
    polls = POLLS * (COUNT.seconds_of_a_poll / COUNT.polls_at_once * second + request / COUNT.ledgers_in_a_chunk)
    return pushes + polls


def queue_cost():
    """The cost of no customers, and of each account."""
    fifo, standard = PRICE.sqs_fifo_million / MILLION, PRICE.sqs_standard_million / MILLION
    empty = COUNT.empty_receives_of_a_queue_a_month * (
        COUNT.fifo_queues_that_are_received_from * fifo + COUNT.standard_queues_that_are_received_from * standard)
    polls = POLLS / COUNT.ledgers_in_a_chunk * COUNT.sqs_requests_of_a_chunk * standard
    return empty, COUNT.invoices_a_month * COUNT.sqs_requests_of_an_invoice * fifo + polls


def rows_of_costs():
    """What is paid for: its name, the cost without customers, that of each account, and a note."""
    log_bytes = COUNT.log_bytes_of_an_invoice * COUNT.invoices_a_month \
        + COUNT.log_bytes_of_a_poll_or_renewal * (POLLS + RENEWALS)
    metrics = COUNT.metric_series * PRICE.metric_series + COUNT.metrics_of_alarms * PRICE.alarm_metric + PRICE.dashboard
    empty, queues = queue_cost()
    schedule = PRICE.scheduler_million / MILLION
    return [
        ("Lambda", 0.02, lambda_cost(),
         f"{PRICE.lambda_million_requests:.2f} a million, {PRICE.lambda_gb_second:.10f} a GB-second; "
         f"{COUNT.seconds_of_a_push} s a push; {COUNT.seconds_of_a_poll} s a polled ledger, {COUNT.polls_at_once} at a "
         f"time, {COUNT.ledgers_in_a_chunk} per invocation; 256 MB"),
        ("SQS", empty, queues,
         f"{PRICE.sqs_fifo_million:.2f} a million FIFO, {PRICE.sqs_standard_million:.2f} standard; "
         f"{COUNT.sqs_requests_of_an_invoice} requests an invoice (its message, two events); plus "
         f"{COUNT.empty_receives_of_a_queue_a_month:,} empty receives for each of "
         f"{COUNT.fifo_queues_that_are_received_from + COUNT.standard_queues_that_are_received_from} queues"),
        ("DynamoDB, writes", 0.001, WRITES * PRICE.dynamodb_million_writes / MILLION,
         f"{PRICE.dynamodb_million_writes} a million; {WRITES:,.0f} units: {COUNT.write_units_of_an_invoice} an invoice, {COUNT.write_units_of_a_poll} a poll, "
         "the daily check"),
        ("DynamoDB, reads", 0.02, READS * PRICE.dynamodb_million_reads / MILLION,
         f"{PRICE.dynamodb_million_reads} a million; {READS:,.0f} units: {COUNT.read_units_of_an_invoice} an invoice, {COUNT.read_units_of_a_poll} a poll, "
         "the daily check"),
        ("DynamoDB, storage after a year", 0.0, COUNT.gb_after_a_year * PRICE.dynamodb_gb_with_recovery,
         f"{PRICE.dynamodb_gb_with_recovery} a GB with its recovery; {COUNT.gb_after_a_year * 1000:.0f} MB; mappings are kept, so it grows by the same amount every year"),
        ("Secrets Manager, storage", PRICE.secret, PRICE.secret, f"{PRICE.secret:.2f} each; one for each Xero user, and one for the app"),
        ("Secrets Manager, API", 0.0, SECRET_CALLS * PRICE.secrets_ten_thousand_calls / 10_000,
         f"{PRICE.secrets_ten_thousand_calls} for 10,000; {SECRET_CALLS:,.0f} calls: {RENEWALS:,.0f} renewals with {COUNT.secret_reads_of_a_renewal} reads and a write, "
         "a read for every other poll and for each push"),
        ("CloudWatch, logs", 0.01, log_bytes / 1e9 * PRICE.logs_gb,
         f"{PRICE.logs_gb:.2f} a GB; {COUNT.log_bytes_of_a_poll_or_renewal} bytes a poll and a renewal, "
         f"{COUNT.log_bytes_of_an_invoice / 1000} kB an invoice"),
        ("CloudWatch, the rest", metrics, 0.0,
         f"{COUNT.metric_series} series at {PRICE.metric_series:.2f}, alarms over {COUNT.metrics_of_alarms} metrics at "
         f"{PRICE.alarm_metric:.2f}, a dashboard at {PRICE.dashboard:.2f}; none per account"),
        ("Scheduler", COUNT.runs_of_schedules_a_month * schedule, COUNT.wake_ups_a_month * schedule,
         f"{PRICE.scheduler_million:.2f} a million; a wake-up for one invoice in a hundred; plus {COUNT.runs_of_schedules_a_month:,} runs"),
    ]


def sweep_cost(accounts):
    """What the sweep reads to check parked and given-up records. Each sweep checks a limited number of either."""
    parked = min(accounts * COUNT.parked_records_of_an_account, COUNT.parked_records_of_a_sweep)
    given_up = min(accounts * COUNT.given_up_records_of_an_account, COUNT.given_up_records_of_a_sweep)
    units = parked * COUNT.read_units_of_a_parked_record + given_up * COUNT.read_units_of_a_given_up_record
    return SWEEPS * units * PRICE.dynamodb_million_reads / MILLION


def rows_of_limited_costs():
    """What costs no more beyond some number of accounts: its name, the cost of so many accounts, and a note."""
    return [
        ("DynamoDB, reads of the sweep", sweep_cost,
         f"{SWEEPS:,.0f} sweeps; {COUNT.read_units_of_a_parked_record} units a parked record, "
         f"{COUNT.parked_records_of_a_sweep:,} a sweep at most; {COUNT.read_units_of_a_given_up_record} a given-up one, "
         f"{COUNT.given_up_records_of_a_sweep:,} at most"),
    ]


def token_costs(*, sealed):
    """What tokens cost: without customers, and for each account. `sealed`: in rows of the table, each value under a data
    key of its own, which KMS creates and decrypts. The app's secret stays in Secrets Manager."""
    if not sealed:
        rows = [row for row in rows_of_costs() if row[0].startswith("Secrets Manager")]
        return sum(fixed for _, fixed, _, _ in rows), sum(each for _, _, each, _ in rows)
    # A value is written on the condition that its row is as it was read: one read for each call, as for a secret.
    read_units = -(-COUNT.kb_of_a_sealed_row // 4)
    reads = SECRET_CALLS * read_units * PRICE.dynamodb_million_reads / MILLION
    writes = RENEWALS * COUNT.kb_of_a_sealed_row * PRICE.dynamodb_million_writes / MILLION
    # A process remembers the data key of a value: a renewal decrypts one and creates one.
    calls = RENEWALS * COUNT.kms_calls_of_a_renewal + TOKEN_READS * COUNT.kms_calls_of_a_read
    keys = calls * PRICE.kms_ten_thousand_calls / 10_000
    return PRICE.secret + PRICE.kms_key, reads + writes + keys


def total(accounts, *, sealed=False):
    """US dollars a month."""
    others = [row for row in rows_of_costs() if not row[0].startswith("Secrets Manager")]
    costs = sum(fixed + accounts * each for _, fixed, each, _ in others)
    costs += sum(cost(accounts) for _, cost, _ in rows_of_limited_costs())
    fixed, each = token_costs(sealed=sealed)
    return costs + fixed + accounts * each


def table_of_costs():
    """The table of the deployment guide."""
    sizes = [0, 10, 1_000, 10_000]
    lines = ["| | no customers | 10 accounts | 1,000 | 10,000 | price, and usage of each account |", "|---|---:|---:|---:|---:|---|"]
    for name, fixed, each, note in rows_of_costs():
        cells = " | ".join(f"{fixed + size * each:,.2f}" for size in sizes)
        lines.append(f"| {name} | {cells} | {note} |")
    for name, cost, note in rows_of_limited_costs():
        cells = " | ".join(f"{cost(size):,.2f}" for size in sizes)
        lines.append(f"| {name} | {cells} | {note} |")
    cells = " | ".join(f"**{total(size):,.2f}**" for size in sizes)
    return [*lines, f"| **total** | {cells} | |"]


def table_of_tokens():
    """The table of the deployment guide that compares the values of `TokenStore`."""
    sizes = [10, 100, 1_000, 10_000]
    lines = ["| `TokenStore` | 10 accounts | 100 | 1,000 | 10,000 |", "|---|---:|---:|---:|---:|"]
    for name, sealed in [("secrets", False), ("sealed", True)]:
        fixed, each = token_costs(sealed=sealed)
        cells = " | ".join(f"{fixed + size * each:,.2f} of {total(size, sealed=sealed):,.2f}" for size in sizes)
        lines.append(f"| `{name}` | {cells} |")
    return lines


def table_of_scale():
    """The table of `docs/scale.md`."""
    lines = ["| accounts | $ a month, `secrets` | `sealed` | Xero calls a minute for polls | token writes a second: average, "
             "after a stop | chunks of a tick | a year of mappings, GB |", "|---:|---:|---:|---:|---:|---:|---:|"]
    for accounts in [10, 1_000, 10_000, last_with_secrets(), last_with_polls(), 100_000]:
        average = accounts / (COUNT.minutes_between_renewals * 60)
        after_stop = accounts / COUNT.seconds_over_which_chunks_are_spread
        polls = accounts * COUNT.xero_calls_of_a_poll / COUNT.minutes_between_polls
        chunks = -(-accounts // COUNT.ledgers_in_a_chunk)
        lines.append(
            f"| {accounts:,} | {total(accounts):,.0f} | {total(accounts, sealed=True):,.0f} | {polls:,.0f} | {average:.1f}, "
            f"{after_stop:.1f} | {chunks:,} | {accounts * COUNT.gb_after_a_year:,.1f} |")
    return lines


def last_with_secrets():
    """The number of accounts whose tokens Secrets Manager keeps if all are renewed in one window of polls."""
    return LIMIT.secret_writes_a_second * COUNT.seconds_over_which_chunks_are_spread


def last_with_polls():
    """The number of accounts whose polls use all the calls that Xero allows an app."""
    return LIMIT.xero_calls_a_minute * COUNT.minutes_between_polls // COUNT.xero_calls_of_a_poll


TABLES = [("infra/deploying.md", "costs", table_of_costs), ("infra/deploying.md", "tokens", table_of_tokens),
          ("docs/scale.md", "scale", table_of_scale)]


def with_table(text, name, lines):
    """The text with these lines between the comments of a table."""
    before, rest = text.split(BEGIN.format(name), 1)
    _, after = rest.split(END, 1)
    return "\n".join([before + BEGIN.format(name), "", *lines, "", END]) + after


def main():
    outdated = []
    for path, name, make in TABLES:
        file = ROOT / path
        text = file.read_text()
        wanted = with_table(text, name, make())
        if wanted != text:
            outdated.append(path)
            if "--check" not in sys.argv[1:]:
                file.write_text(wanted)
    if outdated and "--check" in sys.argv[1:]:
        sys.exit(f"Outdated: {', '.join(outdated)}. Run python infra/scale.py")
    print(f"{len(TABLES)} tables, {len(outdated)} changed")


if __name__ == "__main__":
    main()
