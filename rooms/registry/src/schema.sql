-- Zones, grids, buildings, enterprises, points, laboratories, gates. What lies in a zone lives in the zone's bucket.
CREATE TABLE place (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  parent BIGINT,
  details TEXT NOT NULL,
  credit_code TEXT,
  closed BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX place_code ON place (kind, code);
CREATE INDEX place_parent ON place (parent);
CREATE INDEX place_credit_code ON place (credit_code);
-- How many people's memberships run in a place.
CREATE TABLE place_count (
  bucket BIGINT NOT NULL,
  place BIGINT NOT NULL,
  people BIGINT NOT NULL,
  PRIMARY KEY (bucket, place)
);
-- People. Personal data sealed; keyed hashes to find them by. A shredded person keeps neither.
CREATE TABLE person (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  state TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  tags TEXT NOT NULL,
  document_key BIGINT,
  phone_key BIGINT,
  content_key BIGINT,
  import BIGINT,
  recorded_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX person_document ON person (document_key);
CREATE INDEX person_phone ON person (phone_key);
-- Where a person belongs, as of a day. A row says what holds from its day on; to_day is the day before the next row's,
-- 2147483647 for the last. A row with present = 0 says the person is nowhere.
CREATE TABLE affiliation (
  bucket BIGINT NOT NULL,
  person BIGINT NOT NULL,
  from_day BIGINT NOT NULL,
  to_day BIGINT NOT NULL,
  present BIGINT NOT NULL,
  zone BIGINT,
  grid BIGINT,
  building BIGINT,
  enterprise BIGINT,
  household BIGINT,
  import BIGINT,
  PRIMARY KEY (bucket, person, from_day)
);
CREATE INDEX affiliation_zone ON affiliation (zone);
CREATE INDEX affiliation_grid ON affiliation (grid);
CREATE INDEX affiliation_building ON affiliation (building);
CREATE INDEX affiliation_enterprise ON affiliation (enterprise);
-- Keyed hashes of the terms of a name: single characters, bigrams, pinyin, initials.
CREATE TABLE name_key (
  bucket BIGINT NOT NULL,
  key BIGINT NOT NULL,
  person BIGINT NOT NULL,
  PRIMARY KEY (key, person, bucket)
);
CREATE TABLE import (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  device BIGINT NOT NULL,
  file TEXT NOT NULL,
  file_sha256 TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  from_day BIGINT NOT NULL,
  begun_us BIGINT NOT NULL,
  counts TEXT NOT NULL,
  undone BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
-- What an import found before it changed or ended something, so that it can be taken back.
CREATE TABLE replaced (
  bucket BIGINT NOT NULL,
  import BIGINT NOT NULL,
  person BIGINT NOT NULL,
  from_day BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  tags TEXT NOT NULL,
  membership TEXT NOT NULL,
  PRIMARY KEY (import, person, bucket)
);
-- Lots of preservation fluid, extraction kits and PCR kits.
CREATE TABLE lot (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  code TEXT NOT NULL,
  product TEXT NOT NULL,
  expires_us BIGINT NOT NULL,
  recalled_us BIGINT,
  recall_reason TEXT,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX lot_code ON lot (kind, code);
-- Records that contradict each other, until a person settles them.
CREATE TABLE registry_finding (
  bucket BIGINT NOT NULL,
  code TEXT NOT NULL,
  subject BIGINT NOT NULL,
  other BIGINT NOT NULL,
  found_us BIGINT NOT NULL,
  settled BIGINT NOT NULL,
  PRIMARY KEY (bucket, code, subject, other)
);
