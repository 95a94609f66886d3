//! The API against its own description: schemathesis sends what the document allows, and more.

use std::process::Command;

use crate::common::{Desk, text};
use crate::studio::program::{Studio, small_jobs};
use crate::studio::servers::skip;

/// What every answer is checked for.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";

#[test]
fn the_api_answers_as_its_document_says() {
    let Some(program) = std::env::var_os("IMPASTO_SCHEMATHESIS") else {
        return skip("schemathesis; name it in IMPASTO_SCHEMATHESIS");
    };
    let desk = Desk::new();
    small_jobs(&desk, 2, 2);
    let data = desk.path("data");
    assert!(desk.output(&["submit", "jobs.json", "--data", data.to_str().unwrap()]).status.success());
    let studio = Studio::start(&data, &[]);
    let jobs = studio.wait_for_all();
    let (id, sha256) = (&jobs[0]["id"], &jobs[0]["job"]["inputs"]["content"]["sha256"]);
    // Requests about a job and a file that are there. Deleting the job would leave nothing to ask.
    let settings = format!(
        "[parameters]\n\"path.id\" = {id}\n\"path.sha256\" = {sha256}\n\n[[operations]]\ninclude-method = \"DELETE\"\n\
         parameters = {{ \"path.id\" = \"none\" }}\n"
    );
    std::fs::write(desk.path("schemathesis.toml"), settings).unwrap();
    let run = Command::new(program)
        .args(["run", &format!("http://{}/api/v1/openapi.json", studio.host)])
        .args(["--header", &format!("Authorization: Bearer {}", studio.token), "--checks", CHECKS])
        .args(["--max-examples", "20", "--seed", "1"])
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}\n{}", text(&run.stdout), text(&run.stderr));
}
