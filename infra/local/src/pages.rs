//! The sources of the pages: types, the committed bundle, and tests in a browser, of each element
//! alone and of the whole product. Node.js must be on the machine; npm packages and Chromium are
//! installed if they are missing.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::failure::Failure;
use crate::stack::Stack;
use crate::stack_file::StackFile;
use crate::workplace::Workplace;

/// The oldest Node.js that the test runner and the build work with, as in `package.json`.
const OLDEST: [u32; 2] = [20, 12];
/// The variable that names another browser, as in the tests.
const BROWSER: &str = "CHROMIUM";
/// Debian's browser.
const CHROMIUM: &str = "chromium";
/// Installs the browser. A machine may have no list of packages yet. Each has a log of its own.
const APT: [(&str, &[&str]); 2] = [
    ("apt-update", &["update"]),
    ("install-chromium", &["install", "--yes", "--no-install-recommends", CHROMIUM]),
];
/// The steps of the check, each a script of `package.json`.
const SCRIPTS: [&str; 3] = ["check", "verify-build", "test"];
/// The tests against a stack, a script of `package.json`, too.
const STACK_SCRIPT: &str = "test:stack";
/// Tells the tests against a stack where its addresses are.
const STACK_FILE: &str = "STACK_FILE";
/// Tells them what `cargo local` runs: cargo itself is running this check.
const PROGRAM: &str = "LOCAL_PROGRAM";

/// Installs what is missing, then checks types, bundle and behaviour.
pub async fn check(workplace: &Workplace) -> Result<(), Failure> {
    install_tools(workplace).await?;
    for script in SCRIPTS {
        let mut run = build_npm_run(workplace, script);
        workplace.show(&format!("npm run {script}"), &mut run).await?;
    }
    Ok(())
}

/// Installs what the tests in a browser need, if it is missing.
pub async fn install_tools(workplace: &Workplace) -> Result<(), Failure> {
    let node = find_node(workplace).await?;
    install_packages(workplace, &web_folder(workplace), &node).await?;
    install_chromium(workplace).await
}

/// Runs the tests in a browser, and the examples of the documents, against a stack.
pub async fn check_stack(workplace: &Workplace, stack: &Stack) -> Result<(), Failure> {
    let file = StackFile::write(stack, workplace, None)?;
    let mut run = build_npm_run(workplace, STACK_SCRIPT);
    run.envs(file.path().map(|path| (STACK_FILE, path)));
    run.env("SCREENSHOTS", workplace.run.folder().join("screenshots"));
    let program = std::env::current_exe()
        .map_err(|error| Failure::new("Cannot find the program of the runner").because(error))?;
    run.env(PROGRAM, program);
    workplace.show(&format!("npm run {STACK_SCRIPT}"), &mut run).await
}

/// The folder of the sources.
fn web_folder(workplace: &Workplace) -> PathBuf {
    workplace.project.root().join("functions/pages/web")
}

fn build_npm_run(workplace: &Workplace, script: &str) -> Command {
    let mut run = Command::new("npm");
    run.current_dir(web_folder(workplace)).args(["run", "--silent", script]);
    run
}

/// Returns the version of Node.js, such as `v20.20.2`. Checks that npm is there, too: Debian has it in
/// another package.
async fn find_node(workplace: &Workplace) -> Result<String, Failure> {
    let node = find_version(workplace, "node").await;
    let npm = find_version(workplace, "npm").await;
    check_versions(node, npm)
}

/// Returns what a program says of its version; `None` if it is not on the path or does not run.
async fn find_version(workplace: &Workplace, program: &str) -> Option<String> {
    let mut ask = Command::new(program);
    ask.arg("--version");
    let version = workplace.children.ask(&mut ask).await.ok().flatten();
    version.map(|text| text.trim().to_owned())
}

fn check_versions(node: Option<String>, npm: Option<String>) -> Result<String, Failure> {
    let [major, minor] = OLDEST;
    let found = match (node, npm) {
        (Some(node), Some(_)) if is_new_enough(&node) => return Ok(node),
        (Some(node), None) if is_new_enough(&node) => {
            format!("npm; found Node.js {node} without it")
        }
        (Some(node), _) => format!("Node.js {major}.{minor} or newer; found {node}"),
        (None, _) => format!("Node.js {major}.{minor} or newer; none found"),
    };
    Err(Failure::new(format!("The pages need {found}")).remedy(
        "Install it from https://nodejs.org or, on Debian 13, with: sudo apt install nodejs npm. Then run the command again.",
    ))
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => [major, minor] >= OLDEST,
        _ => false,
    }
}

/// Installs exactly the packages of the lock file, beside the sources. Does nothing if they are
/// installed for this Node.js.
async fn install_packages(workplace: &Workplace, web: &Path, node: &str) -> Result<(), Failure> {
    let Workplace { project, console, children, scratch: _, run, output: _ } = workplace;
    let modules = web.join("node_modules");
    let lock_file = web.join("package-lock.json");
    let text = std::fs::read_to_string(&lock_file).map_err(|error| {
        Failure::new(format!("Cannot read {}", lock_file.display())).because(error)
    })?;
    let stamp = project.folder("pages")?.join("packages.stamp");
    let fulfilled = format!("Node.js {node}\n{text}");
    console.step(&format!("npm packages in {}", project.shown(&modules)));
    let _held = project.lock("pages").await?;
    let is_installed =
        modules.is_dir() && std::fs::read_to_string(&stamp).is_ok_and(|found| found == fulfilled);
    if is_installed {
        console.done("already installed");
        return Ok(());
    }
    console.done("installing (the first run only)");
    let mut install = Command::new("npm");
    install.current_dir(web).args(["ci", "--no-audit", "--no-fund"]);
    let log = run.log("install-pages");
    children.run_quietly("Installing the npm packages", &mut install, &log).await?;
    std::fs::write(&stamp, fulfilled)
        .map_err(|error| Failure::new("Cannot record what was installed").because(error))?;
    console.done("installed");
    Ok(())
}

/// Installs Debian's Chromium, which drives the tests, if the machine has none.
async fn install_chromium(workplace: &Workplace) -> Result<(), Failure> {
    let Workplace { project, console, children, scratch: _, run, output: _ } = workplace;
    console.step("Chromium");
    let _held = project.lock("chromium").await?;
    if has_chromium() {
        console.done("already installed");
        return Ok(());
    }
    console.done("installing with apt-get (the first run only)");
    let remedy = "Install it with: sudo apt install chromium. Or set CHROMIUM to the path of a Chromium or Chrome. Then run the command again.";
    for (log, arguments) in APT {
        let mut install = Command::new("apt-get");
        install.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        let log = run.log(log);
        let installed = children.run_quietly("Installing Chromium", &mut install, &log).await;
        installed.map_err(|failure| failure.remedy(remedy))?;
    }
    console.done("installed");
    Ok(())
}

/// The tests start the browser at this path, which the variable [`BROWSER`] may name.
fn has_chromium() -> bool {
    let named = std::env::var_os(BROWSER).map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from("/usr/bin").join(CHROMIUM)).exists()
}

#[cfg(test)]
mod tests {
    use super::{SCRIPTS, STACK_SCRIPT, check_versions, is_new_enough};
    use crate::project::Project;

    #[test]
    fn versions_are_compared_as_numbers() {
        for version in ["v20.12.0", "v20.20.2", "v24.1.0", "v100.0.0"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["v20.9.0", "v18.20.4", "v9.20.0", "v20", "rubbish", ""] {
            assert!(!is_new_enough(version), "{version}");
        }
    }

    #[test]
    fn a_missing_or_old_program_is_named_with_the_way_to_install_it() {
        let (new, old) = ("v20.20.2".to_owned(), "v18.20.4".to_owned());
        let npm = || Some("10.8.2".to_owned());
        assert_eq!(check_versions(Some(new.clone()), npm()).unwrap(), new);
        for (node, npm, expected) in [
            (Some(new), None, "npm; found Node.js v20.20.2 without it"),
            (Some(old), npm(), "Node.js 20.12 or newer; found v18.20.4"),
            (None, npm(), "Node.js 20.12 or newer; none found"),
            (None, None, "Node.js 20.12 or newer; none found"),
        ] {
            let lines = check_versions(node, npm).unwrap_err().lines();
            assert_eq!(lines[0], format!("The pages need {expected}"));
            assert!(lines[1].contains("apt install nodejs npm"), "{lines:?}");
        }
    }

    #[test]
    fn every_script_of_the_check_is_a_script_of_the_package() {
        let package = Project::here().unwrap().root().join("functions/pages/web/package.json");
        let package = std::fs::read_to_string(package).unwrap();
        for script in SCRIPTS.into_iter().chain([STACK_SCRIPT]) {
            assert!(package.contains(&format!("\"{script}\": ")), "{script}");
        }
    }
}
