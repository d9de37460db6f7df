//! Measurements that must not get worse. `cargo measure --list` shows what they count.

use tests::measure::{Measure, measure_project};

/// The limit of each measure. Limits are never raised. Shares are in tenths of a percent.
const LIMITS: [(Measure, usize); 6] = [
    (Measure::OneWordFunctions, 350),
    (Measure::OneWordTypes, 250),
    (Measure::RepeatedPrivateNames, 0),
    (Measure::UpwardImports, 0),
    (Measure::ModulesInCycles, 0),
    (Measure::ArchitectureLines, 150),
];

#[test]
fn no_measure_gets_worse() {
    let report = measure_project(&super::root()).unwrap();
    let lines = report.find_value(Measure::ProductLines).unwrap();
    assert!(lines > 10_000, "{lines} lines: the sources were not found");
    for (measure, limit) in LIMITS {
        let value = report.find_value(measure).unwrap();
        assert!(
            value <= limit,
            "{}: {}; the limit is {}. `cargo measure --list` names them",
            measure.title(),
            measure.format_value(value),
            measure.format_value(limit)
        );
    }
}

#[test]
fn every_module_of_the_engine_has_a_layer() {
    let report = measure_project(&super::root()).unwrap();
    let unplaced = report.unplaced_modules;
    assert!(unplaced.is_empty(), "{unplaced:?}: add them to tests/src/measure/layers.rs");
}
