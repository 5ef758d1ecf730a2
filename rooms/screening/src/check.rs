//! The room's invariants, looked for in its tables.

use baton_kit::invariant::Invariant;
use baton_ledger::{StoreResult, Tx};

pub static SC_1: Invariant = Invariant::new("SC-1", "a pool never makes a positive person: who is positive is so by a single tube with one swab");
pub static SC_2: Invariant = Invariant::new("SC-2", "everybody whose tube was not clean is held and on the follow-up list, or has a later result of their own");
pub static SC_3: Invariant = Invariant::new("SC-3", "cells count exactly the obligations of their people and places");
pub static SC_4: Invariant = Invariant::new("SC-4", "nobody has a result without a released tube");
pub static SC_5: Invariant = Invariant::new("SC-5", "a tube's number of swabs is the number of its scans that stand");
pub static SC_6: Invariant = Invariant::new("SC-6", "everybody with a scan that stands has an obligation in the round of the tube");
pub static SC_7: Invariant = Invariant::new("SC-7", "counts by quarter of an hour and by reason are those of the obligations");
pub static SC_8: Invariant = Invariant::new("SC-8", "no label number was issued twice");

/// What breaks each invariant: a statement whose every row is a violation. An id divided by 2^56 is its bucket.
const CHECKS: [(&Invariant, &str); 13] = [
    (
        &SC_1,
        "SELECT CAST(d.person AS TEXT) FROM due d WHERE d.result = 'positive' AND NOT EXISTS (SELECT 1 FROM tube t WHERE t.bucket = d.tube / 72057594037927936 AND t.id = d.tube AND t.ratio = 1 AND t.swabs = 1 AND t.released = 1 AND t.outcome = 'positive')",
    ),
    (
        &SC_2,
        "SELECT CAST(m.person AS TEXT) FROM tube t JOIN member m ON m.bucket = t.bucket AND m.tube = t.id AND m.undoing IS NULL \
         WHERE t.opened = 1 AND t.ratio > 1 AND t.outcome IN ('positive', 'single_target', 'invalid') AND NOT EXISTS (SELECT 1 FROM follow_up f WHERE f.bucket = m.person / 72057594037927936 AND f.person = m.person AND f.tube = t.id)",
    ),
    (
        &SC_2,
        "SELECT CAST(f.person AS TEXT) FROM follow_up f JOIN due d ON d.bucket = f.bucket AND d.campaign = f.campaign AND d.round = f.round AND d.person = f.person \
         WHERE f.closed = '' AND f.single = 1 AND d.state <> 4",
    ),
    (
        &SC_3,
        "SELECT CAST(c.campaign AS TEXT) FROM cell c LEFT JOIN (SELECT bucket, campaign, round, zone, grid, building, enterprise, \
         sum(CASE WHEN listed = 1 AND state = 0 THEN 1 ELSE 0 END) AS d0, sum(CASE WHEN listed = 1 AND state = 1 THEN 1 ELSE 0 END) AS d1, sum(CASE WHEN listed = 1 AND state = 2 THEN 1 ELSE 0 END) AS d2, \
         sum(CASE WHEN listed = 1 AND state = 3 THEN 1 ELSE 0 END) AS d3, sum(CASE WHEN listed = 1 AND state = 4 THEN 1 ELSE 0 END) AS d4, sum(CASE WHEN listed = 1 AND state = 5 THEN 1 ELSE 0 END) AS d5, \
         sum(CASE WHEN listed = 0 THEN 1 ELSE 0 END) AS d6 FROM due GROUP BY bucket, campaign, round, zone, grid, building, enterprise) d \
         ON d.bucket = c.bucket AND d.campaign = c.campaign AND d.round = c.round AND d.zone = c.zone AND d.grid = c.grid AND d.building = c.building AND d.enterprise = c.enterprise \
         WHERE c.due <> COALESCE(d.d0, 0) OR c.sampled <> COALESCE(d.d1, 0) OR c.pending <> COALESCE(d.d2, 0) OR c.resulted <> COALESCE(d.d3, 0) \
         OR c.held <> COALESCE(d.d4, 0) OR c.exempt <> COALESCE(d.d5, 0) OR c.extra <> COALESCE(d.d6, 0)",
    ),
    (
        &SC_4,
        "SELECT CAST(d.person AS TEXT) FROM due d WHERE d.state = 3 AND NOT EXISTS (SELECT 1 FROM tube t JOIN member m ON m.bucket = t.bucket AND m.tube = t.id WHERE t.bucket = d.tube / 72057594037927936 AND t.id = d.tube AND m.person = d.person AND m.undoing IS NULL AND t.released = 1)",
    ),
    (
        &SC_5,
        "SELECT CAST(t.id AS TEXT) FROM tube t LEFT JOIN (SELECT bucket, tube, count(*) AS n FROM member WHERE undoing IS NULL GROUP BY bucket, tube) m ON m.bucket = t.bucket AND m.tube = t.id WHERE t.swabs <> COALESCE(m.n, 0)",
    ),
    (
        &SC_6,
        "SELECT CAST(m.person AS TEXT) FROM member m JOIN tube t ON t.bucket = m.bucket AND t.id = m.tube WHERE m.undoing IS NULL AND t.opened = 1 AND t.campaign <> 0 \
         AND NOT EXISTS (SELECT 1 FROM due d WHERE d.bucket = m.person / 72057594037927936 AND d.campaign = t.campaign AND d.round = t.round AND d.person = m.person AND (d.tube IS NOT NULL OR d.state = 5))",
    ),
    (
        &SC_7,
        "SELECT CAST(q.campaign AS TEXT) FROM due_quarter q LEFT JOIN (SELECT bucket, campaign, round, zone, grid, swabbed_us / 900000000 AS quarter, count(*) AS n FROM due \
         WHERE listed = 1 AND state BETWEEN 1 AND 4 AND swabbed_us IS NOT NULL GROUP BY bucket, campaign, round, zone, grid, swabbed_us / 900000000) d \
         ON d.bucket = q.bucket AND d.campaign = q.campaign AND d.round = q.round AND d.zone = q.zone AND d.grid = q.grid AND d.quarter = q.quarter_us / 900000000 WHERE q.came <> COALESCE(d.n, 0)",
    ),
    (
        &SC_7,
        "SELECT CAST(campaign AS TEXT) FROM (SELECT campaign, sum(n) AS n FROM (SELECT campaign, came AS n FROM due_quarter UNION ALL SELECT campaign, -1 AS n FROM due \
         WHERE listed = 1 AND state BETWEEN 1 AND 4 AND swabbed_us IS NOT NULL) x GROUP BY campaign) y WHERE n <> 0",
    ),
    (
        &SC_7,
        "SELECT CAST(campaign AS TEXT) FROM (SELECT bucket, campaign, round, zone, grid, state, reason, sum(n) AS n FROM (SELECT bucket, campaign, round, zone, grid, state, reason, people AS n FROM due_reason \
         UNION ALL SELECT bucket, campaign, round, zone, grid, state, reason, -1 AS n FROM due WHERE reason <> '') x GROUP BY bucket, campaign, round, zone, grid, state, reason) y WHERE n <> 0",
    ),
    (
        &SC_3,
        "SELECT CAST(max(campaign) AS TEXT) FROM (SELECT bucket, campaign, round, zone, grid, building, due, sampled, pending, resulted, held, exempt, extra FROM building_cell UNION ALL \
         SELECT bucket, campaign, round, zone, grid, building, -due, -sampled, -pending, -resulted, -held, -exempt, -extra FROM cell) x GROUP BY bucket, campaign, round, zone, grid, building \
         HAVING sum(due) <> 0 OR sum(sampled) <> 0 OR sum(pending) <> 0 OR sum(resulted) <> 0 OR sum(held) <> 0 OR sum(exempt) <> 0 OR sum(extra) <> 0",
    ),
    (
        &SC_3,
        "SELECT CAST(max(campaign) AS TEXT) FROM (SELECT campaign, round, enterprise, due, sampled, pending, resulted, held, exempt, extra FROM enterprise_cell UNION ALL \
         SELECT campaign, round, enterprise, -due, -sampled, -pending, -resulted, -held, -exempt, -extra FROM cell) x GROUP BY campaign, round, enterprise \
         HAVING sum(due) <> 0 OR sum(sampled) <> 0 OR sum(pending) <> 0 OR sum(resulted) <> 0 OR sum(held) <> 0 OR sum(exempt) <> 0 OR sum(extra) <> 0",
    ),
    (&SC_8, "SELECT CAST(a.id AS TEXT) FROM label_block a JOIN label_block b ON b.first >= a.first AND b.first < a.first + a.count AND b.id <> a.id"),
];

/// Every violation: the invariant's name and whom or what it is about. At most 100 of each.
pub fn check_invariants(tx: &mut Tx<'_>) -> StoreResult<Vec<(String, String)>> {
    let mut violations = Vec::new();
    for (invariant, sql) in CHECKS {
        for row in tx.query(&format!("{sql} LIMIT 100"), &[])? {
            violations.push((invariant.name.to_owned(), row.text(0)?.to_owned()));
        }
    }
    Ok(violations)
}
