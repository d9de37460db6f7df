//! Coverage-guided fuzzing with cargo-fuzz. Each target starts from its corpus in `fuzz/corpus`;
//! new inputs are kept in `.local/fuzz`, and failing ones in `fuzz/artifacts`.

use std::path::Path;

use tokio::process::Command;

use crate::failure::Failure;
use crate::workplace::Workplace;

/// The fuzz targets: each has a folder in `fuzz/corpus` and a binary in `fuzz/Cargo.toml`.
const TARGETS: [&str; 4] = ["message", "bodies", "answers", "dates"];
/// The variable that sets how long each target runs, in seconds, and its default.
const SECONDS: (&str, u64) = ("FUZZ_SECONDS", 20);
/// The time limit of an input, in seconds.
const INPUT_SECONDS: u64 = 10;
/// Coverage without a sanitizer: sanitizers need a nightly compiler, and there is no `unsafe` code
/// for them to check.
const STABLE: [&str; 2] = ["--sanitizer", "none"];

/// Builds the targets with `program`, which is cargo-fuzz, and runs one after the other.
pub async fn run(workplace: &Workplace, program: &Path) -> Result<(), Failure> {
    let seconds = seconds()?;
    let root = workplace.project.root();
    let found = workplace.project.folder("fuzz")?;
    let mut build = fuzz(program, root, "build");
    workplace.show("cargo fuzz build", &mut build).await?;
    for target in TARGETS {
        let kept = found.join(target);
        std::fs::create_dir_all(&kept).map_err(|error| {
            Failure::new(format!("Cannot create the folder {}", kept.display())).because(error)
        })?;
        let mut run = fuzz(program, root, "run");
        run.arg(target).arg(&kept).arg(root.join("fuzz/corpus").join(target)).args([
            "--".to_owned(),
            format!("-max_total_time={seconds}"),
            format!("-timeout={INPUT_SECONDS}"),
            "-verbosity=0".to_owned(),
            "-print_funcs=0".to_owned(),
            "-print_final_stats=1".to_owned(),
        ]);
        let shown = format!("cargo fuzz run {target}, for {seconds} s");
        workplace.show(&shown, &mut run).await?;
    }
    Ok(())
}

fn fuzz(program: &Path, root: &Path, command: &str) -> Command {
    let mut fuzz = Command::new(program);
    fuzz.current_dir(root).arg(command).args(STABLE);
    fuzz
}

fn seconds() -> Result<u64, Failure> {
    let (name, usual) = SECONDS;
    let Some(set) = std::env::var_os(name) else { return Ok(usual) };
    let seconds = set.to_str().and_then(|set| set.parse().ok()).filter(|seconds| *seconds > 0);
    seconds.ok_or_else(|| {
        Failure::new(format!("{name} is not a number of seconds: {}", set.display()))
            .remedy(format!("For ten minutes per target: {name}=600 cargo verify --only fuzz"))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::TARGETS;

    #[test]
    fn every_target_of_the_fuzz_crate_is_run() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let folders = std::fs::read_dir(fuzz.join("corpus")).expect("a corpus");
        let mut corpora = folders
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect::<Vec<_>>();
        corpora.sort();
        let mut targets = TARGETS.map(str::to_owned);
        targets.sort();
        assert_eq!(corpora, targets);
        let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("a manifest");
        for target in TARGETS {
            assert!(manifest.contains(&format!("fuzz_targets/{target}.rs")), "{target}");
        }
    }
}
