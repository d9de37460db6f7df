//! Words of the API that requests and responses contain. Each type names the words of one field.

use domain::entity::EntityKind;
use domain::matching::MatchEvidence;
use serde::Serialize;
use utoipa::ToSchema;

/// Declares words that are the variants of another type, so that a variant without a word does not
/// compile. `Serialize` and `ToSchema` are in the scope of the caller.
#[macro_export]
macro_rules! declare_words {
    (
        $(#[$doc:meta])*
        $visibility:vis $name:ident of $source:ident {
            $($(#[$word_doc:meta])* $word:ident),* $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        $visibility enum $name {
            $($(#[$word_doc])* $word),*
        }

        impl From<$source> for $name {
            fn from(source: $source) -> Self {
                match source {
                    $($source::$word => Self::$word),*
                }
            }
        }
    };
}

declare_words! {
    /// A kind of record. `contact` is a client, `payment` is one part of a payment.
    pub RecordKind of EntityKind {
        /// A client.
        Contact,
        /// An invoice.
        Invoice,
        /// A credit note.
        CreditNote,
        /// An allocation of a credit note to an invoice.
        Allocation,
        /// One part of a payment.
        Payment,
    }
}

declare_words! {
    /// A value that a client and a contact have in common.
    pub MatchCriterion of MatchEvidence {
        /// The number of the client's contact.
        Number,
        /// The VAT, GST or tax number.
        VatNumber,
        /// The company registration number.
        CompanyNumber,
        /// The e-mail address.
        Email,
        /// The name.
        Name,
        /// A telephone number.
        Phone,
        /// The country and postal code of the billing address.
        Address,
    }
}
