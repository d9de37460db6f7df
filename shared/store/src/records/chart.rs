//! The row of an organisation's chart.

use domain::chart::Chart;
use domain::ids::Ledger;
use serde::{Deserialize, Serialize};

use super::StoredRecord;
use crate::keys;
use crate::table::ItemKey;

/// The chart that was last read from an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptChart {
    ledger: Ledger,
    /// The chart as JSON text. It is as long as the customer's chart, so it is stored beside the
    /// record.
    #[serde(default, skip_serializing)]
    text: String,
    /// Rows of earlier releases hold the chart here.
    #[serde(default, skip_serializing)]
    chart: Option<Chart>,
}

impl KeptChart {
    pub(crate) fn new(ledger: Ledger, chart: &Chart) -> Self {
        let text = serde_json::to_string(chart).expect("charts hold only what JSON can say");
        Self { ledger, text, chart: None }
    }

    /// Returns the chart, or `None` if a later release stored it in another form and it has to be
    /// read again.
    pub(crate) fn into_chart(self) -> Option<Chart> {
        let chart = self.chart.or_else(|| serde_json::from_str(&self.text).ok())?;
        Some(Chart { tenant: Some(self.ledger.tenant), ..chart })
    }
}

impl StoredRecord for KeptChart {
    fn item_key(&self) -> ItemKey {
        keys::chart_key(&self.ledger)
    }

    fn snapshot_text(&self) -> Option<&str> {
        Some(&self.text)
    }

    fn with_snapshot(mut self, text: String) -> Self {
        self.text = text;
        self
    }
}
