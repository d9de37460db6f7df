//! What every part of a run shares: where things are, whom to tell, what was started.

use crate::children::Children;
use crate::console::Console;
use crate::failure::Failure;
use crate::project::Project;
use crate::runs::Run;
use crate::scratch::Scratch;

/// One run of the runner.
#[derive(Debug)]
pub struct Workplace {
    /// Where things are.
    pub project: Project,
    /// Where to talk to.
    pub console: Console,
    /// What was started.
    pub children: Children,
    /// What nobody wants afterwards.
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

    /// Ends every process and clears up: nothing of the run stays behind but logs, packages, tools.
    pub async fn close(self) {
        self.children.end_all().await;
        self.scratch.close();
    }
}
