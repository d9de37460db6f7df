//! Lists of all variants of an enum that the compiler checks.

/// All variants of the enum that is being implemented, as an array in the order given. A variant
/// that is left out does not compile, so a list that code iterates over always has every variant of
/// its enum.
///
/// ```
/// enum Season {
///     Dry,
///     Wet,
/// }
///
/// impl Season {
///     const ALL: [Self; 2] = domain::every_variant![Wet, Dry];
/// }
///
/// assert!(matches!(Season::ALL, [Season::Wet, Season::Dry]));
/// ```
///
/// ```compile_fail
/// enum Season {
///     Dry,
///     Wet,
/// }
///
/// impl Season {
///     const ALL: [Self; 1] = domain::every_variant![Dry];
/// }
/// ```
#[macro_export]
macro_rules! every_variant {
    ($first:ident $(, $rest:ident)* $(,)?) => {
        // The pattern must be exhaustive for the type; the matched value does not matter.
        match Self::$first {
            Self::$first $(| Self::$rest)* => [Self::$first $(, Self::$rest)*],
        }
    };
}
