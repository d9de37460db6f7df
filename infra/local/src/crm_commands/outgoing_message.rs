//! The messages that `cargo local send` reads from files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use url::form_urlencoded::Serializer;

use crate::crm_queues::{CrmQueue, MESSAGE_BYTES_MAX, MessageAddress, new_deduplication_id};
use crate::failure::Failure;

/// The name of the file that is standard input.
const STANDARD_INPUT: &str = "-";

/// A message from a file.
#[derive(Debug)]
pub(super) struct OutgoingMessage {
    /// The name of the file, for display.
    pub(super) name: String,
    /// The content of the file, unchanged.
    pub(super) body: Bytes,
    /// What the command line says about the message.
    pub(super) query: String,
}

impl OutgoingMessage {
    /// Reads the file and checks that the message can be sent.
    pub(super) fn read(file: &Path, queue: Option<CrmQueue>, again: bool) -> Result<Self, Failure> {
        let is_standard_input = file.as_os_str() == STANDARD_INPUT;
        let name = if is_standard_input {
            "standard input".to_owned()
        } else {
            file.display().to_string()
        };
        // A message of this size is refused, so the rest of a larger file is not read.
        let limit = u64::try_from(MESSAGE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        let mut body = Vec::new();
        let read = if is_standard_input {
            std::io::stdin().lock().take(limit).read_to_end(&mut body)
        } else {
            File::open(file).and_then(|file| file.take(limit).read_to_end(&mut body))
        };
        read.map_err(|error| Failure::new(format!("Cannot read {name}")).because(error))?;
        let query = message_query(queue, again.then(new_deduplication_id));
        MessageAddress::read_from(&body, &query)
            .map_err(|problem| Failure::new(format!("Cannot send {name}")).because(problem))?;
        Ok(Self { name, body: Bytes::from(body), query })
    }
}

/// The query of the path that takes a message: what the message itself does not say.
fn message_query(queue: Option<CrmQueue>, deduplication_id: Option<String>) -> String {
    let mut query = Serializer::new(String::new());
    if let Some(queue) = queue {
        query.append_pair("queue", queue.name());
    }
    if let Some(id) = deduplication_id {
        query.append_pair("deduplication_id", &id);
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{OutgoingMessage, message_query};
    use crate::crm_queues::{CrmQueue, MESSAGE_BYTES_MAX};

    /// A file with this content.
    fn file(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = std::env::temp_dir().join(format!("{name}-{}.json", std::process::id()));
        std::fs::write(&file, content).unwrap();
        file
    }

    /// What the command prints if it cannot send the file.
    fn complaint(file: &Path, queue: Option<CrmQueue>) -> String {
        OutgoingMessage::read(file, queue, false).unwrap_err().lines().join("\n")
    }

    #[test]
    fn a_message_is_sent_as_it_is_in_its_file() {
        let content = "{ \"type\":\t\"invoice.sent\",\r\n\"unknown\": 1 }\r\n";
        let file = file("message as it is", content);
        assert_eq!(OutgoingMessage::read(&file, None, false).unwrap().body, content);
        std::fs::remove_file(&file).unwrap();
        let printed = complaint(&file, None);
        assert!(printed.starts_with(&format!("Cannot read {}", file.display())), "{printed}");
    }

    #[test]
    fn a_file_that_cannot_be_sent_is_named_with_the_reason() {
        let array = file("message-array", "[]");
        let printed = complaint(&array, None);
        assert!(printed.starts_with(&format!("Cannot send {}", array.display())), "{printed}");
        assert!(printed.contains("a JSON array") && printed.contains("credit-notes"), "{printed}");
        assert!(OutgoingMessage::read(&array, Some(CrmQueue::Payments), false).is_ok());
        std::fs::remove_file(&array).unwrap();
        let large = file("message-large", vec![b'x'; MESSAGE_BYTES_MAX * 2]);
        assert!(complaint(&large, Some(CrmQueue::Payments)).contains("1048576 bytes"));
        std::fs::remove_file(&large).unwrap();
        let folder = std::env::temp_dir();
        assert!(complaint(&folder, None).contains("Cannot read"), "a folder is not a message");
    }

    #[test]
    fn the_query_names_only_what_the_message_does_not_say() {
        assert_eq!(message_query(None, None), "");
        let query = message_query(Some(CrmQueue::CreditNotes), Some("an id".to_owned()));
        assert_eq!(query, "queue=credit-notes&deduplication_id=an+id");
    }
}
