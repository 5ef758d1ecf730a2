-- What was foretold, as it was said, and what came of it. body: the forecast itself as JSON, never computed again.
-- actual_us: when the last result of the tubes it meant was out; first_us: their first swab. Nothing while any of them is on its way.
CREATE TABLE forecast (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  made_us BIGINT NOT NULL,
  from_us BIGINT NOT NULL,
  until_us BIGINT NOT NULL,
  p10_us BIGINT NOT NULL,
  p50_us BIGINT NOT NULL,
  p90_us BIGINT NOT NULL,
  stretch_percent BIGINT NOT NULL,
  body TEXT NOT NULL,
  first_us BIGINT,
  actual_us BIGINT,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX forecast_made ON forecast (made_us);
CREATE INDEX forecast_open ON forecast (actual_us, until_us);
-- Results out by quarter of an hour: the part of the curve that is no forecast any more.
CREATE TABLE out_quarter (
  bucket BIGINT NOT NULL,
  laboratory BIGINT NOT NULL,
  quarter_us BIGINT NOT NULL,
  tubes BIGINT NOT NULL,
  PRIMARY KEY (bucket, laboratory, quarter_us)
);
CREATE INDEX out_quarter_time ON out_quarter (quarter_us);
-- The machines a laboratory says it has.
CREATE TABLE equipment (
  bucket BIGINT NOT NULL,
  laboratory BIGINT NOT NULL,
  event BIGINT NOT NULL,
  extractors BIGINT NOT NULL,
  extraction_minutes BIGINT NOT NULL,
  cyclers BIGINT NOT NULL,
  stated_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, laboratory)
);
