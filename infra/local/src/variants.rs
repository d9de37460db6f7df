//! Lists of all variants of an enum, checked by the compiler.

/// All variants of the enum that is being implemented, as an array in the given order. A list
/// without one of them does not compile.
macro_rules! every_variant {
    ($first:ident $(, $rest:ident)* $(,)?) => {
        // The pattern must be exhaustive for the type; which value is matched does not matter.
        match Self::$first {
            Self::$first $(| Self::$rest)* => [Self::$first $(, Self::$rest)*],
        }
    };
}

pub(crate) use every_variant;
