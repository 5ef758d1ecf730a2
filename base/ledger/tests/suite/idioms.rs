//! The door: one statement text means the same on both stores.

use baton_ledger::{Conn, Param, StoreError, StoreResult, Tx, Value, params};

use crate::house::*;

baton_ground::on_both_stores! {
    crate::house::House: parameters_go_where_their_number_says,
    every_kind_of_value_comes_back,
    a_value_of_the_wrong_type_is_refused,
    an_upsert_returns_what_is_stored,
    do_nothing_returns_no_row,
    compare_and_set_touches_one_row_or_none,
    checks_and_keys_refuse,
    pages_by_key_windows_and_filters,
    updates_from_many_values,
    a_claim_takes_what_is_free,
    recursion_and_small_expressions,
    many_rows_are_inserted_whatever_their_number,
    a_failed_step_undoes_itself_alone,
    a_transaction_dropped_never_happened,
    a_reader_sees_one_moment,
    a_column_is_read_as_what_it_is,
}

const TABLES: &str = "CREATE TABLE item (\n  bucket BIGINT NOT NULL,\n  id BIGINT NOT NULL,\n  state TEXT,\n  count BIGINT CHECK (count >= 0),\n  part DOUBLE PRECISION,\n  \
                      small SMALLINT,\n  blob BYTEA,\n  PRIMARY KEY (bucket, id)\n);\nCREATE INDEX item_open ON item (bucket, state) WHERE state IS NOT NULL;\n";

/// A connection with one empty table.
fn table(house: &House) -> Conn {
    let mut conn = house.place.open_ledger().unwrap();
    conn.execute_ddl(TABLES).unwrap();
    conn
}

/// Items 1 to 6 in bucket 1; odd ones open, count ten times the id.
fn six_items(house: &House) -> Conn {
    let mut conn = table(house);
    let mut tx = conn.begin().unwrap();
    for id in 1..=6i64 {
        let state = (id % 2 == 1).then_some("open");
        tx.execute("INSERT INTO item (bucket, id, state, count) VALUES (1, $1, $2, $3)", params![id, state, id * 10]).unwrap();
    }
    tx.commit().unwrap();
    conn
}

fn ints(tx: &mut Tx<'_>, sql: &str, params: &[Param<'_>]) -> Vec<i64> {
    tx.query(sql, params).unwrap().iter().map(|row| row.int(0).unwrap()).collect()
}

fn parameters_go_where_their_number_says(house: &House) {
    let mut conn = table(house);
    let mut tx = conn.begin().unwrap();
    let backwards = tx.one("SELECT CAST($2 AS TEXT), CAST($1 AS TEXT)", params!["one", "two"]).unwrap();
    assert_eq!((backwards.text(0).unwrap(), backwards.text(1).unwrap()), ("two", "one"));
    tx.execute("INSERT INTO item (bucket, count, id) VALUES ($1, $3, $2)", params![1, 2, 3]).unwrap();
    assert_eq!(ints(&mut tx, "SELECT count FROM item WHERE id = $1 AND bucket = $2 AND (id = $1 OR id = $1)", params![2, 1]), vec![3]);
    let eleven: Vec<Param<'_>> = (1..=11).map(|n| Param::Int(n * 100)).collect();
    let all: Vec<String> = (1..=11).rev().map(|n| format!("CAST(${n} AS BIGINT)")).collect();
    let row = tx.one(&format!("SELECT {}", all.join(", ")), &eleven).unwrap();
    assert_eq!((row.int(0).unwrap(), row.int(1).unwrap(), row.int(10).unwrap()), (1100, 1000, 100), "$11 is not $1 and a one");
}

fn every_kind_of_value_comes_back(house: &House) {
    let mut conn = table(house);
    let mut tx = conn.begin().unwrap();
    let text = "采样 \u{1F9EA} O'Brien \\ \" \n $1 ?1";
    let bytes: Vec<u8> = (0..=255).collect();
    let insert = "INSERT INTO item (bucket, id, state, count, part, small, blob) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.execute(insert, params![1, i64::MAX, text, i64::MAX, 0.1 + 0.2, -7, &bytes]).unwrap();
    tx.execute(insert, params![1, i64::MIN, "", 0, -0.0, true, Param::Bytes(&[])]).unwrap();
    tx.execute(insert, params![1, 3, Option::<&str>::None, Option::<i64>::None, Option::<f64>::None, Param::Null, Param::Null]).unwrap();
    let rows = tx.query("SELECT id, state, count, part, small, blob FROM item ORDER BY id DESC", &[]).unwrap();
    assert_eq!(
        rows[0].0,
        [Value::Int(i64::MAX), Value::Text(text.to_owned()), Value::Int(i64::MAX), Value::Float(0.1 + 0.2), Value::Int(-7), Value::Bytes(bytes)]
    );
    assert_eq!(rows[1].0[1..], [Value::Null, Value::Null, Value::Null, Value::Null, Value::Null]);
    assert_eq!(rows[2].0, [Value::Int(i64::MIN), Value::Text(String::new()), Value::Int(0), Value::Float(-0.0), Value::Int(1), Value::Bytes(Vec::new())]);
    let compared = tx.one("SELECT id FROM item WHERE state = $1", params![text]).unwrap();
    assert_eq!(compared.int(0).unwrap(), i64::MAX);
}

fn a_value_of_the_wrong_type_is_refused(house: &House) {
    let cases: [(&str, Param<'_>); 6] = [
        ("count", Param::Text("twelve")),
        // Eight letters have the length of a number on the wire.
        ("count", Param::Text("eight888")),
        ("count", Param::Bytes(&[0, 0, 0, 0, 0, 0, 0, 9])),
        ("part", Param::Text("a number")),
        ("blob", Param::Text("text")),
        ("blob", Param::Int(7)),
    ];
    let mut conn = table(house);
    for (column, value) in cases {
        let mut tx = conn.begin().unwrap();
        let error = tx.execute(&format!("INSERT INTO item (bucket, id, {column}) VALUES (1, 1, $1)"), &[value]).unwrap_err();
        assert!(!error.is_passing(), "{column} {value:?}: {error}");
        drop(tx);
    }
    assert_eq!(ints(&mut conn.begin_read().unwrap(), "SELECT count(*) FROM item", &[]), vec![0]);
}

fn an_upsert_returns_what_is_stored(house: &House) {
    let mut conn = table(house);
    let mut tx = conn.begin().unwrap();
    let sql = "INSERT INTO item (bucket, id, state, count) VALUES (1, $1, $2, $3) \
               ON CONFLICT (bucket, id) DO UPDATE SET count = item.count + excluded.count, state = excluded.state RETURNING count, state";
    let mut upsert = |id: i64, state: Option<&str>, count: i64| {
        let row = tx.one(sql, params![id, state, count]).unwrap();
        (row.int(0).unwrap(), row.maybe_text(1).unwrap().map(str::to_owned))
    };
    assert_eq!(upsert(1, Some("new"), 5), (5, Some("new".to_owned())));
    assert_eq!(upsert(1, None, 7), (12, None));
    assert_eq!(upsert(2, Some("other"), 1), (1, Some("other".to_owned())));
}

fn do_nothing_returns_no_row(house: &House) {
    let mut conn = six_items(house);
    let mut tx = conn.begin().unwrap();
    let sql = "INSERT INTO item (bucket, id, count) VALUES (1, $1, 0) ON CONFLICT (bucket, id) DO NOTHING RETURNING id";
    assert!(tx.first(sql, params![6]).unwrap().is_none());
    assert_eq!(tx.first(sql, params![7]).unwrap().unwrap().int(0).unwrap(), 7);
    assert_eq!(tx.execute("INSERT INTO item (bucket, id) VALUES (1, 7) ON CONFLICT (bucket, id) DO NOTHING", &[]).unwrap(), 0);
}

fn compare_and_set_touches_one_row_or_none(house: &House) {
    let mut conn = six_items(house);
    let mut tx = conn.begin().unwrap();
    let sql = "UPDATE item SET state = $3 WHERE bucket = 1 AND id = $1 AND state IS NOT DISTINCT FROM $2 RETURNING id";
    assert_eq!(ints(&mut tx, sql, params![1, "open", "taken"]), vec![1]);
    assert_eq!(ints(&mut tx, sql, params![1, "open", "taken"]), Vec::<i64>::new());
    assert_eq!(ints(&mut tx, sql, params![2, Param::Null, "taken"]), vec![2]);
    assert_eq!(tx.execute("UPDATE item SET count = 0 WHERE state = 'taken'", &[]).unwrap(), 2);
}

fn checks_and_keys_refuse(house: &House) {
    let mut conn = six_items(house);
    for sql in [
        "INSERT INTO item (bucket, id, count) VALUES (1, 9, -1)",
        "INSERT INTO item (bucket, id, count) VALUES (1, 1, 1)",
        "INSERT INTO item (bucket, count) VALUES (1, 1)",
        "SELECT nothing FROM nowhere",
    ] {
        let mut tx = conn.begin().unwrap();
        let error = tx.execute(sql, &[]).unwrap_err();
        assert!(matches!(error, StoreError::Sqlite(_) | StoreError::Postgres(_)) && !error.is_full() && !error.is_passing(), "{sql}: {error}");
    }
    assert_eq!(ints(&mut conn.begin_read().unwrap(), "SELECT count(*) FROM item", &[]), vec![6]);
}

fn pages_by_key_windows_and_filters(house: &House) {
    let mut conn = six_items(house);
    let mut tx = conn.begin_read().unwrap();
    assert_eq!(ints(&mut tx, "SELECT id FROM item WHERE (bucket, id) > ($1, $2) ORDER BY bucket, id LIMIT 2 OFFSET 1", params![1, 2]), vec![4, 5]);
    let sql = "WITH numbered AS (SELECT id, state, row_number() OVER (PARTITION BY state ORDER BY id DESC) AS place FROM item) \
               SELECT id FROM numbered WHERE place = 1 ORDER BY state NULLS LAST";
    assert_eq!(ints(&mut tx, sql, &[]), vec![5, 6]);
    let row = tx.one("SELECT count(*) FILTER (WHERE state IS NULL), count(*), CAST(sum(count) AS BIGINT) FROM item", &[]).unwrap();
    assert_eq!(row.0, [Value::Int(3), Value::Int(6), Value::Int(210)]);
    assert_eq!(ints(&mut tx, "SELECT id FROM item ORDER BY state NULLS LAST, id LIMIT 4", &[]), vec![1, 3, 5, 2]);
}

fn updates_from_many_values(house: &House) {
    let mut conn = six_items(house);
    let mut tx = conn.begin().unwrap();
    let sql = "WITH v(item_id, more) AS (VALUES (CAST($1 AS BIGINT), CAST($2 AS BIGINT)), ($3, $4)) \
               UPDATE item SET count = count + v.more FROM v WHERE item.bucket = 1 AND item.id = v.item_id";
    assert_eq!(tx.execute(sql, params![1, 5, 6, 7]).unwrap(), 2);
    assert_eq!(ints(&mut tx, "SELECT count FROM item WHERE id IN (1, 6) ORDER BY id", &[]), vec![15, 67]);
}

fn a_claim_takes_what_is_free(house: &House) {
    let mut conn = six_items(house);
    let mut tx = conn.begin().unwrap();
    let sql =
        "UPDATE item SET state = 'taken' WHERE bucket = 1 AND id IN (SELECT id FROM item WHERE bucket = 1 AND state = 'open' ORDER BY id LIMIT 2) RETURNING id";
    let mut claimed = ints(&mut tx, sql, &[]);
    claimed.sort_unstable();
    assert_eq!(claimed, vec![1, 3]);
    assert_eq!(ints(&mut tx, sql, &[]), vec![5]);
    assert_eq!(ints(&mut tx, sql, &[]), Vec::<i64>::new());
}

fn recursion_and_small_expressions(house: &House) {
    let mut conn = table(house);
    let mut tx = conn.begin_read().unwrap();
    assert_eq!(
        ints(&mut tx, "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 5) SELECT n FROM up ORDER BY n", &[]),
        vec![1, 2, 3, 4, 5]
    );
    assert_eq!(ints(&mut tx, "SELECT 7 / 2 UNION ALL SELECT -7 / 2", &[]), vec![3, -3]);
    let row = tx.one("SELECT 'a' || CAST(12 AS TEXT), CASE WHEN 1 = 2 THEN 'x' ELSE 'y' END, COALESCE(NULLIF('a', 'a'), 'z')", &[]).unwrap();
    assert_eq!(row.0, ["a12", "y", "z"].map(|text| Value::Text(text.to_owned())));
}

fn many_rows_are_inserted_whatever_their_number(house: &House) {
    let mut conn = table(house);
    for count in [0usize, 1, 63, 64, 65, 200] {
        let mut tx = conn.begin().unwrap();
        let rows: Vec<Vec<Param<'_>>> = (0..count as i64).map(|id| vec![1.into(), id.into(), Param::Text("x")]).collect();
        assert_eq!(tx.insert_many("INSERT INTO item (bucket, id, state) VALUES", 3, &rows, "").unwrap(), count as u64);
        assert_eq!(tx.insert_many("INSERT INTO item (bucket, id, state) VALUES", 3, &rows, "ON CONFLICT (bucket, id) DO NOTHING").unwrap(), 0);
        assert_eq!(ints(&mut tx, "SELECT count(DISTINCT id) FROM item", &[]), vec![count as i64]);
    }
}

fn a_failed_step_undoes_itself_alone(house: &House) {
    let mut conn = table(house);
    let mut tx = conn.begin().unwrap();
    let insert = |tx: &mut Tx<'_>, id: i64| tx.execute("INSERT INTO item (bucket, id) VALUES (1, $1)", params![id]).map(|_| ());
    insert(&mut tx, 1).unwrap();
    let twice: StoreResult<()> = tx.savepoint(|tx| insert(tx, 2).and_then(|()| insert(tx, 1)));
    twice.unwrap_err();
    let nested: StoreResult<()> = tx.savepoint(|tx| {
        insert(tx, 3)?;
        let inner: StoreResult<()> = tx.savepoint(|tx| insert(tx, 4).and_then(|()| insert(tx, 1)));
        inner.unwrap_err();
        insert(tx, 5)
    });
    nested.unwrap();
    tx.commit().unwrap();
    assert_eq!(ints(&mut conn.begin_read().unwrap(), "SELECT id FROM item ORDER BY id", &[]), vec![1, 3, 5]);
}

fn a_transaction_dropped_never_happened(house: &House) {
    let mut conn = six_items(house);
    conn.begin().unwrap().execute("DELETE FROM item", &[]).unwrap();
    let mut tx = conn.begin().unwrap();
    tx.execute("DELETE FROM item", &[]).unwrap();
    tx.rollback().unwrap();
    assert_eq!(ints(&mut conn.begin_read().unwrap(), "SELECT count(*) FROM item", &[]), vec![6]);
}

fn a_reader_sees_one_moment(house: &House) {
    let mut writer = six_items(house);
    let mut reader = house.place.open_ledger_for_reading().unwrap();
    let mut picture = reader.begin_read().unwrap();
    assert_eq!(ints(&mut picture, "SELECT count(*) FROM item", &[]), vec![6]);
    let mut tx = writer.begin().unwrap();
    tx.execute("DELETE FROM item WHERE id > 4", &[]).unwrap();
    tx.commit().unwrap();
    assert_eq!(ints(&mut picture, "SELECT count(*) FROM item", &[]), vec![6], "the same picture");
    drop(picture);
    assert_eq!(ints(&mut reader.begin_read().unwrap(), "SELECT count(*) FROM item", &[]), vec![4]);
    let mut tx = reader.begin_read().unwrap();
    tx.execute("DELETE FROM item", &[]).unwrap_err();
}

fn a_column_is_read_as_what_it_is(house: &House) {
    let mut conn = six_items(house);
    let row = conn.begin_read().unwrap().one("SELECT id, state, count, part FROM item WHERE id = 2", &[]).unwrap();
    assert_eq!((row.int(0).unwrap(), row.maybe_text(1).unwrap(), row.truth(2).unwrap(), row.maybe_float(3).unwrap()), (2, None, true, None));
    for error in [row.int(1).unwrap_err(), row.text(0).unwrap_err(), row.bytes(2).unwrap_err(), row.float(3).unwrap_err(), row.int(9).unwrap_err()] {
        assert!(error.to_string().starts_with("column "), "{error}");
    }
    assert!(row.maybe_int(3).unwrap().is_none());
}
