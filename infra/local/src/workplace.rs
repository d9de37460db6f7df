//! What every part of a run shares: paths, console, child processes.

use tokio::process::Command;

use crate::children::Children;
use crate::console::Console;
use crate::failure::Failure;
use crate::project::Project;
use crate::runs::Run;
use crate::scratch::Scratch;

/// One run of the runner.
#[derive(Debug)]
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
}

impl Workplace {
    /// The workplace of a run in this project.
    pub fn open(console: Console) -> Result<Self, Failure> {
        let project = Project::here()?;
        let scratch = Scratch::open(&project)?;
        let run = Run::open(&project)?;
        Ok(Self { project, console, children: Children::default(), scratch, run })
    }

    /// Ends every process and removes temporary files: only logs, packages and tools remain.
    pub async fn close(self) {
        self.children.end_all().await;
        self.scratch.close();
    }

    /// Runs a command and shows its output.
    pub async fn show(&self, shown: &str, command: &mut Command) -> Result<(), Failure> {
        self.console.step(shown);
        let status = self.children.run(command).await;
        let status =
            status.map_err(|error| Failure::new(format!("Cannot run {shown}")).because(error))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("{shown} failed ({status}); its output is above")))
        }
    }
}
