//! Limits of the lists and texts of a connection, which is one row of the table (DynamoDB: at most
//! 400 KB) and changes together with its claims in one transaction (DynamoDB: at most 100 items).

/// The maximum number of organisations that a connection offers at once. A user with more
/// organisations in Xero selects the relevant ones on the consent page.
pub const ORGANISATIONS_MAX: usize = 40;

/// The maximum number of links that a connection still has to remove: as many as one disconnect may
/// add, which are the offered organisations and the one in use.
pub const LEFTOVERS_MAX: usize = ORGANISATIONS_MAX + 1;

/// The maximum number of organisations in which one account has records. Their ids and all other
/// lists of a connection fit into one row.
pub const TENANTS_MAX: usize = 1_000;

/// The maximum number of warnings of one connection that are kept and shown.
pub const WARNINGS_MAX: usize = 50;

/// The maximum length of a name that Xero gives an organisation or a user, in characters.
pub const NAME_MAX: usize = 255;

/// The maximum length of a warning, in characters.
pub const WARNING_MAX: usize = 300;
