//! What plugin authors are told to do works as it is written.

use crate::walkthrough::follow;

#[test]
fn the_guide_leads_from_nothing_to_continuous_integration() {
    follow("docs/authors-guide.md");
}

#[test]
fn functions_of_other_platforms_run_in_their_ported_form() {
    follow("docs/porting.md");
}
