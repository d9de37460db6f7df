//! What every part of a run shares: paths, console, child processes.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::children::Children;
use crate::console::Console;
use crate::failure::Failure;
use crate::project::Project;
use crate::runs::Run;
use crate::scratch::Scratch;

/// One run of the runner.
#[derive(Debug, Clone)]
pub struct Workplace {
    /// The paths of the project.
    pub project: Project,
    /// The console.
    pub console: Console,
    /// The child processes.
    pub children: Children,
    /// The temporary folder.
    pub scratch: Scratch,
    /// The logs of this run.
    pub run: Run,
    /// The file that collects the output of this part of the run; without one it is shown at once.
    pub output: Option<PathBuf>,
}

impl Workplace {
    /// The workplace of a run in this project.
    pub fn open(console: Console) -> Result<Self, Failure> {
        let project = Project::here()?;
        let scratch = Scratch::open(&project)?;
        let run = Run::open(&project)?;
        Ok(Self { project, console, children: Children::default(), scratch, run, output: None })
    }

    /// This workplace for work at a lower priority: it gets what the others leave.
    #[must_use]
    pub fn in_background(&self) -> Self {
        Self { children: self.children.in_background(), ..self.clone() }
    }

    /// The workplace of a part of this run that runs beside the others, with its logs and all of its
    /// output in a folder of its own.
    pub fn beside(&self, name: &str) -> Result<Self, Failure> {
        let cannot =
            |error| Failure::new(format!("Cannot keep the output of {name}")).because(error);
        let run = self.run.part(name).map_err(cannot)?;
        let output = run.log("output");
        let file = File::options().create(true).append(true).open(&output).map_err(cannot)?;
        Ok(Self {
            project: self.project.clone(),
            console: self.console.kept(file),
            children: self.children.clone(),
            scratch: self.scratch.clone(),
            run,
            output: Some(output),
        })
    }

    /// The output that this part of the run has collected; empty if it is shown at once.
    pub fn collected(&self) -> String {
        let content = self.output.as_ref().and_then(|output| std::fs::read(output).ok());
        String::from_utf8_lossy(&content.unwrap_or_default()).into_owned()
    }

    /// Ends every process and removes temporary files: only logs, packages and tools remain.
    pub async fn close(self) {
        self.children.end_all().await;
        self.scratch.close();
    }

    /// Runs a command and shows its output, or collects it.
    pub async fn show(&self, shown: &str, command: &mut Command) -> Result<(), Failure> {
        let cannot = |error| Failure::new(format!("Cannot run {shown}")).because(error);
        self.console.step(shown);
        if let Some(output) = &self.output {
            let out = File::options().append(true).open(output).map_err(cannot)?;
            let errors = out.try_clone().map_err(cannot)?;
            command.stdin(Stdio::null()).stdout(out).stderr(errors);
        }
        let status = self.children.run(command).await.map_err(cannot)?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("{shown} failed ({status}); its output is above")))
        }
    }
}
