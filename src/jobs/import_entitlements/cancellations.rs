//! Cancellations on their way in: recorded when they arrive, decided in the night of their date, or the first after
//! their arrival (D7).

use serde_json::json;
use sqlx::PgConnection;

use super::{
    apply::Verdict,
    intake::StagedFile,
    requests::{self, Admitted},
};
use crate::{
    domain::{
        reason::{Problem, Reason},
        service_request::{Request, ServiceRequestRow},
    },
    jobs::{Context, Result},
    store::{
        file::StagedRow,
        intake::{self, NewRequest},
    },
};

/// Applies a row of a service requests file.
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    row: &StagedRow,
    wanted: &ServiceRequestRow,
) -> Result<Verdict> {
    let Request::Cancel { order_id } = &wanted.request;
    let found = requests::asked(conn, staged, &wanted.partner_id, order_id, &wanted.requested_by).await?;
    let asked = match found {
        Ok(asked) => asked,
        Err(problems) => return Ok(Verdict::Rejected(problems)),
    };
    let on = wanted.requested_on;
    let content = json!({
        "order_id": order_id,
        "requested_by": wanted.requested_by.to_lowercase(),
        "requested_on": on,
        "note": wanted.note,
    });
    let recorded = intake::find_request(conn, asked.partner_id, "cancel", &wanted.request_id).await?;
    let Admitted { recorded, in_time } =
        match requests::admit(cx, staged, (&asked, &wanted.requested_by), recorded, &content, on) {
            Ok(admitted) => admitted,
            Err(verdict) => return Ok(verdict),
        };
    let new = NewRequest {
        partner_id: asked.partner_id,
        kind: "cancel",
        request_key: &wanted.request_id,
        content: &content,
        membership_id: asked.membership_id,
        entitlement_id: None,
        requested_by: &wanted.requested_by,
        requested_on: on,
        file_id: staged.file_id,
        line: row.line,
        status: if in_time { "pending" } else { "waiting" },
    };
    requests::put(conn, recorded, &new).await?;
    Ok(Verdict::Applied(vec![if in_time {
        Problem::of_row(Reason::DecidedAtNight { night_of: staged.received_on })
    } else {
        requests::waits(cx, staged, on)
    }]))
}
