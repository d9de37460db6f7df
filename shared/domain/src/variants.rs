//! Lists of all variants of an enum that the compiler checks, and enums whose variants have names.

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

/// Declares an enum whose variants each have a name in text, a list of them, the method that
/// returns the name, and, if it is needed, the function that finds the variant with a name. Variant
/// and name are written once, beside each other.
///
/// ```text
/// named_variants! {
///     /// A season.
///     #[derive(Clone, Copy)]
///     pub enum Season {
///         /// Rain every day.
///         Wet = "wet",
///     }
///
///     /// The name in the contract.
///     pub const fn as_str(self) -> &'static str;
///
///     /// The season with this name.
///     pub fn from_name(name: &str) -> Option<Self>;
/// }
/// ```
macro_rules! named_variants {
    (
        $(#[$type_attribute:meta])*
        pub enum $type:ident {
            $($(#[$variant_attribute:meta])* $variant:ident = $name:literal,)+
        }

        $(#[$method_attribute:meta])*
        pub const fn $method:ident(self) -> &'static str;

        $(
            $(#[$reader_attribute:meta])*
            $reader_visibility:vis fn $reader:ident(name: &str) -> Option<Self>;
        )?
    ) => {
        $(#[$type_attribute])*
        pub enum $type {
            $($(#[$variant_attribute])* $variant,)+
        }

        impl $type {
            /// Every variant, in the order of their declaration.
            pub const ALL: [Self; [$($name),+].len()] = crate::every_variant![$($variant),+];

            $(#[$method_attribute])*
            pub const fn $method(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            $(
                $(#[$reader_attribute])*
                $reader_visibility fn $reader(name: &str) -> Option<Self> {
                    Self::ALL.into_iter().find(|variant| variant.$method() == name)
                }
            )?
        }
    };
}

pub(crate) use named_variants;
