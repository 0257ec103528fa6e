//! `/v1/imports`: lists of callbacks. `check` tells what would become of each row, and `rows` orders them, each once.
//!
//! An import is a name. Rows may arrive in any number of parts, and again after a lost answer or a stopped sender; what
//! was accepted once is not ordered again. Files are read by the command line; this takes orders in the API's shape.

pub(super) mod check;
mod preflight;
pub(super) mod rows;

use crate::http::ApiError;
use crate::import;

/// The name of an import.
///
/// # Errors
/// `import.name_malformed`. The name is not repeated: it could be a phone number.
fn name(text: &str) -> Result<&str, ApiError> {
    if import::is_name(text) {
        Ok(text)
    } else {
        Err(ApiError::new("import.name_malformed", import::NAME_EXPECTED))
    }
}
