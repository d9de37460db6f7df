//! The same push in Node and in Python, as it is usually written, where their packages are
//! installed.

use std::path::{Path, PathBuf};

use ::tests::World;
use ::tests::builders::an_invoice;
use local::failure::Failure;
use local::workplace::Workplace;
use tokio::process::Command;

use crate::cases::{is_success, sqs_event};
use crate::function_process::{FunctionCommand, FunctionProcess, StepUsage};
use crate::functions::thousandths;
use crate::numbers::{median, milliseconds, quotient};
use crate::report::{ReportSection, Table};
use crate::surroundings::Surroundings;

/// Warm invocations of one process.
const WARM_INVOCATIONS: usize = 5;

/// Another language.
#[derive(Debug, Clone, Copy)]
struct OtherRuntime {
    name: &'static str,
    /// The program, below the folder of its installation or on the path.
    program: &'static str,
    /// The folder in `.local` with its packages.
    folder: &'static str,
    /// The arguments that succeed only if every package is installed.
    probe: [&'static str; 2],
    /// The push, below the folder of the benchmark.
    script: &'static str,
    /// How to install what is missing.
    remedy: &'static str,
}

const RUNTIMES: [OtherRuntime; 2] = [
    OtherRuntime {
        name: "Node, AWS SDK v3 and xero-node",
        program: "node",
        folder: "bench-node",
        probe: [
            "-e",
            "for (const name of ['@aws-sdk/client-dynamodb', '@aws-sdk/client-secrets-manager', \
             'xero-node']) require.resolve(name)",
        ],
        script: "push.cjs",
        remedy: "`npm install --prefix .local/bench-node @aws-sdk/client-dynamodb \
                 @aws-sdk/client-secrets-manager xero-node`",
    },
    OtherRuntime {
        name: "Python, boto3 and xero-python",
        program: "bin/python",
        folder: "bench-python",
        probe: ["-c", "import boto3, xero_python.accounting"],
        script: "push.py",
        remedy: "`python3 -m venv .local/bench-python && .local/bench-python/bin/pip install boto3 \
                 xero-python`",
    },
];

impl OtherRuntime {
    fn program(&self, folder: &Path) -> PathBuf {
        let own = folder.join(self.program);
        if own.is_file() { own } else { PathBuf::from(self.program) }
    }

    /// The variables that make the program find its packages.
    fn environment(folder: &Path) -> Vec<(String, String)> {
        let modules = folder.join("node_modules").display().to_string();
        let path = std::env::var_os("PATH").unwrap_or_default();
        vec![
            ("NODE_PATH".to_owned(), modules),
            ("PATH".to_owned(), path.to_string_lossy().into_owned()),
            ("AWS_DEFAULT_REGION".to_owned(), "eu-west-2".to_owned()),
        ]
    }

    async fn is_installed(&self, workplace: &Workplace, folder: &Path) -> bool {
        let mut probe = Command::new(self.program(folder));
        probe.args(self.probe).envs(Self::environment(folder));
        matches!(workplace.children.ask(&mut probe).await, Ok(Some(_)))
    }
}

/// Measures the push in each language that is installed, and adds the table and what is missing. A
/// language whose push fails is named with the reason, and fails nothing else.
pub async fn add_runtimes(
    section: &mut ReportSection,
    workplace: &Workplace,
    rounds: usize,
) -> Result<(), Failure> {
    let mut table = Table::new(&[
        "push of one invoice",
        "start, wall ms",
        "start, CPU ms",
        "first invocation, CPU ms",
        "warm invocation, CPU ms",
        "peak memory",
    ]);
    let mut missing = Vec::new();
    let mut is_empty = true;
    for runtime in RUNTIMES {
        let folder = workplace.project.workshop().join(runtime.folder);
        if !runtime.is_installed(workplace, &folder).await {
            missing.push(format!(
                "{} is not installed. To install it: {}.",
                runtime.name, runtime.remedy
            ));
            continue;
        }
        match Box::pin(measure_runtime(workplace, &runtime, &folder, rounds)).await {
            Ok(row) => {
                table.add_row(row);
                is_empty = false;
            }
            Err(failure) => {
                missing.push(format!("{} failed: {}", runtime.name, failure.lines().join(" ")));
            }
        }
    }
    if !is_empty {
        section.add_text(
            "The same push in other languages, with one conditional put, one call of Xero and one update \
             for each invoice, and without retries, logs and everything else that the product does.",
        );
        section.add_table(&table);
    }
    if !missing.is_empty() {
        section.add_text(missing.join("\n"));
    }
    Ok(())
}

async fn measure_runtime(
    workplace: &Workplace,
    runtime: &OtherRuntime,
    folder: &Path,
    rounds: usize,
) -> Result<Vec<String>, Failure> {
    let (mut inits, mut firsts) = (Vec::new(), Vec::new());
    let (mut warm, mut peaks) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let surroundings = Surroundings::start(|_: &World| {}).await?;
        let mut environment = surroundings.environment("invoices");
        environment.extend(OtherRuntime::environment(folder));
        environment.extend(describe_account(surroundings.world())?);
        let script = workplace.project.root().join("infra/bench/other").join(runtime.script);
        let command = FunctionCommand {
            words: vec![runtime.program(folder), script],
            environment,
            log: workplace.run.log(&format!("bench-{}", runtime.folder)),
        };
        let (mut function, init) = FunctionProcess::start(&command).await?;
        inits.push(init);
        for number in 0..=WARM_INVOCATIONS {
            let invoice = an_invoice(&format!("inv_other_{number}"), "cli_known");
            let event = sqs_event("invoices", &[invoice.body()]);
            let (answer, usage) = function.invoke(&event).await?;
            if !is_success(&answer) {
                return Err(Failure::new(format!("{} reports a failure", runtime.name)));
            }
            if number == 0 {
                firsts.push(usage);
            } else {
                warm.push(usage);
            }
            if number == WARM_INVOCATIONS {
                peaks.push(usage.peak_kib);
            }
        }
    }
    let cpu = |steps: &[StepUsage]| {
        median(&steps.iter().map(|step| step.cpu_microseconds).collect::<Vec<_>>())
    };
    let wall = inits.iter().map(|step| step.wall_microseconds).collect::<Vec<_>>();
    Ok(vec![
        runtime.name.to_owned(),
        milliseconds(median(&wall)),
        milliseconds(cpu(&inits)),
        milliseconds(cpu(&firsts)),
        thousandths(cpu(&warm)),
        format!("{} MB", quotient(median(&peaks), 1_024)),
    ])
}

/// What the scripts need to know of the account.
fn describe_account(world: &World) -> Result<Vec<(String, String)>, Failure> {
    let unknown = || Failure::new("The account of the benchmark has no contact or no tokens");
    let contact = world.books(|books| books.contacts().next().map(|contact| contact.id));
    let grant = world.secrets.names().into_iter().next();
    Ok(vec![
        ("XERO_TENANT_ID".to_owned(), world.tenant().to_string()),
        ("XERO_CONTACT_ID".to_owned(), contact.ok_or_else(unknown)?.to_string()),
        ("GRANT_SECRET_ID".to_owned(), grant.ok_or_else(unknown)?),
    ])
}
