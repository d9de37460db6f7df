//! The names of the fields.

/// A field, or a group of fields that are written together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContactField {
    Name,
    MainPerson,
    Email,
    CompanyNumber,
    TaxNumber,
    Phone,
    Mobile,
    Address,
    /// A part of the address. It is never kept alone, unless Xero would reject it.
    PostalCode,
    /// Like the postal code.
    Country,
    Persons,
}

impl ContactField {
    /// The name that sentences for people use.
    pub(crate) const fn display_label(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::MainPerson => "main person",
            Self::Email => "e-mail address",
            Self::CompanyNumber => "company number",
            Self::TaxNumber => "VAT number",
            Self::Phone => "phone number",
            Self::Mobile => "mobile number",
            Self::Address => "billing address",
            Self::PostalCode => "postal code",
            Self::Country => "country",
            Self::Persons => "contact persons",
        }
    }
}
