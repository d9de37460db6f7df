//! What a batch of invoices costs: alone, nine together, and ten and fifty in full deliveries.

use std::path::Path;

use ::tests::builders::an_invoice;
use domain::batching::BURST_PAUSE_MAX;
use local::failure::Failure;
use local::workplace::Workplace;

use crate::callgrind;
use crate::cases::{FunctionCase, find_case, is_success, sqs_event, wake_up_event};
use crate::function_process::{FunctionProcess, StepUsage};
use crate::functions::{command_of, thousandths};
use crate::numbers::{median, quotient, thousands};
use crate::push::DELIVERY_MAX;
use crate::report::{ReportSection, Table};
use crate::surroundings::{Surroundings, queue_url, wake_up_queue};

const FUNCTION: &str = "invoice-push";
const QUEUE: &str = "invoices";
/// The numbers of invoices that arrive together. The first delivery of ten is pushed at once, the
/// next ones are deferred.
const SIZES: [usize; 4] = [1, 9, 10, 50];
/// Measured batches of each size, in one process.
const ROUNDS: usize = 5;
/// Batches over which the instructions of one are averaged.
const COUNTED_BATCHES: usize = 2;

/// What a batch used.
#[derive(Debug, Clone, Copy)]
struct BatchUsage {
    invoices: usize,
    cpu_microseconds: usize,
    peak_kib: usize,
    aws_calls: usize,
}

/// Measures batches in one warm process each, and adds the table. `hello` is what the bare function
/// used: processor time of a warm invocation in microseconds, and peak memory in KiB. With
/// `callgrind`, the instructions of a batch are counted, too, if valgrind is installed.
///
/// # Errors
///
/// If a message is returned, or an invoice is not in Xero at the end.
pub async fn add_batches(
    section: &mut ReportSection,
    workplace: &Workplace,
    binaries: &Path,
    hello: (usize, usize),
    callgrind: bool,
) -> Result<(), Failure> {
    let (hello_cpu, hello_peak) = hello;
    let is_counted = callgrind && callgrind::find_version(workplace).await.is_some();
    let mut table = Table::new(&[
        "invoices together",
        "CPU ms",
        "CPU ms for each",
        "each, times hello",
        "instructions for each",
        "peak memory above hello",
        "calls of AWS",
        "for each",
    ]);
    for size in SIZES {
        let used = Box::pin(measure_batch(workplace, binaries, size)).await?;
        let each = used.cpu_microseconds / used.invoices.max(1);
        let instructions = if is_counted {
            thousands(Box::pin(count_instructions(workplace, binaries, size)).await? / size.max(1))
        } else {
            "-".to_owned()
        };
        table.add_row(vec![
            used.invoices.to_string(),
            thousandths(used.cpu_microseconds),
            thousandths(each),
            quotient(each, hello_cpu),
            instructions,
            format!("{} MB", quotient(used.peak_kib.saturating_sub(hello_peak), 1_024)),
            used.aws_calls.to_string(),
            quotient(used.aws_calls, used.invoices),
        ]);
    }
    section.add_text(format!(
        "Batches of invoices of a known client in a warm process, which has pushed a batch of the \
         same size before; the median of {ROUNDS}. Ten arrive in one full delivery, which is pushed at \
         once, and fifty in five; the last four are deferred, and the wake-ups that follow push \
         them together. The figures are those of all these invocations. The calls of AWS include those of SQS."
    ));
    section.add_table(&table);
    Ok(())
}

async fn measure_batch(
    workplace: &Workplace,
    binaries: &Path,
    size: usize,
) -> Result<BatchUsage, Failure> {
    let case = find_measured_case()?;
    let surroundings = Surroundings::start(case.prepare).await?;
    let command = command_of(workplace, &case, binaries, &surroundings);
    let (mut function, _) = FunctionProcess::start(&command).await?;
    // The first batch opens the connections that a batch of this size uses at the same time.
    push_batch(&mut function, &surroundings, 0, size).await?;
    let mut batches = Vec::new();
    for round in 1..=ROUNDS {
        batches.push(push_batch(&mut function, &surroundings, round, size).await?);
    }
    let median_of =
        |value: fn(&BatchUsage) -> usize| median(&batches.iter().map(value).collect::<Vec<_>>());
    Ok(BatchUsage {
        invoices: size,
        cpu_microseconds: median_of(|used| used.cpu_microseconds),
        peak_kib: batches.last().map_or(0, |used| used.peak_kib),
        aws_calls: median_of(|used| used.aws_calls),
    })
}

/// The instructions of one batch in a warm process.
async fn count_instructions(
    workplace: &Workplace,
    binaries: &Path,
    size: usize,
) -> Result<usize, Failure> {
    let case = find_measured_case()?;
    let count = async |batches: usize| {
        let work = async |function: &mut FunctionProcess, surroundings: &Surroundings| {
            for round in 0..batches {
                push_batch(function, surroundings, round, size).await?;
            }
            Ok(())
        };
        callgrind::count_instructions(workplace, &case, binaries, work).await
    };
    let (first, all) = (Box::pin(count(1)).await?, Box::pin(count(1 + COUNTED_BATCHES)).await?);
    Ok(all.saturating_sub(first) / COUNTED_BATCHES)
}

fn find_measured_case() -> Result<FunctionCase, Failure> {
    find_case(FUNCTION).ok_or_else(|| Failure::new("There is no invoice-push"))
}

/// Delivers a batch of new invoices and the wake-ups that follow, and returns what they used.
async fn push_batch(
    function: &mut FunctionProcess,
    surroundings: &Surroundings,
    round: usize,
    size: usize,
) -> Result<BatchUsage, Failure> {
    if round > 0 && size >= DELIVERY_MAX {
        // Otherwise all deliveries were in one burst.
        tokio::time::sleep(BURST_PAUSE_MAX.unsigned_abs()).await;
    }
    let before = surroundings.world().books(|books| books.invoices().count());
    surroundings.aws.take_calls();
    let message = |number| an_invoice(&format!("inv_{round}_{number}"), "cli_known").body();
    let messages = (0..size).map(message).collect::<Vec<_>>();
    let mut steps = Vec::new();
    for delivery in messages.chunks(DELIVERY_MAX) {
        steps.push(deliver(function, &sqs_event(QUEUE, delivery)).await?);
    }
    loop {
        let wake_ups = surroundings.aws.take_sent(&queue_url(&wake_up_queue(QUEUE)));
        if wake_ups.is_empty() {
            break;
        }
        for delivery in wake_ups.chunks(DELIVERY_MAX) {
            steps.push(deliver(function, &wake_up_event(QUEUE, delivery)).await?);
        }
    }
    let pushed = surroundings.world().books(|books| books.invoices().count());
    if pushed.saturating_sub(before) != size {
        let text = format!("Of {size} invoices {} are in Xero", pushed.saturating_sub(before));
        return Err(Failure::new(text));
    }
    Ok(BatchUsage {
        invoices: size,
        cpu_microseconds: steps.iter().map(|step| step.cpu_microseconds).sum(),
        peak_kib: steps.last().map_or(0, |step| step.peak_kib),
        aws_calls: surroundings.aws.take_calls().values().sum(),
    })
}

async fn deliver(function: &mut FunctionProcess, event: &str) -> Result<StepUsage, Failure> {
    let (answer, usage) = function.invoke(event).await?;
    if is_success(&answer) {
        return Ok(usage);
    }
    let answer = String::from_utf8_lossy(&answer);
    Err(Failure::new(format!("{FUNCTION} reports a failure: {answer}")))
}
