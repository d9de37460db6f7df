//! Objects: the bucket that holds the functions' code.

use bytes::Bytes;
use http::Request;

use super::{Aws, REGION};
use crate::failure::Failure;

impl Aws {
    /// Creates a bucket.
    pub async fn make_bucket(&self, bucket: &str) -> Result<(), Failure> {
        let place = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint>\
             </CreateBucketConfiguration>"
        );
        let request =
            Request::put(format!("{}/{bucket}", self.endpoint())).body(Bytes::from(place));
        self.exchange("s3", "S3 CreateBucket", request).await.map(|_| ())
    }

    /// Stores an object.
    pub async fn put_object(&self, bucket: &str, key: &str, content: Bytes) -> Result<(), Failure> {
        let request = Request::put(format!("{}/{bucket}/{key}", self.endpoint())).body(content);
        self.exchange("s3", "S3 PutObject", request).await.map(|_| ())
    }
}
