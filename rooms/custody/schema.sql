-- A transport box as its steps tell it; recomputed from them whenever one arrives, so that their order of arrival does not matter.
CREATE TABLE box (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  code TEXT NOT NULL,
  point BIGINT NOT NULL,
  stage TEXT NOT NULL,
  holder_account BIGINT,
  holder_laboratory BIGINT,
  offered_account BIGINT,
  offered_laboratory BIGINT,
  held_since_us BIGINT,
  sealed_count BIGINT,
  seal TEXT NOT NULL,
  tubes BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX box_code ON box (code);
CREATE INDEX box_holder ON box (holder_account);
CREATE INDEX box_offered ON box (offered_account);
CREATE INDEX box_laboratory ON box (offered_laboratory, holder_laboratory);
-- What was done with a box, by whom, when.
CREATE TABLE box_step (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  box BIGINT NOT NULL,
  step TEXT NOT NULL,
  actor BIGINT,
  to_account BIGINT,
  to_laboratory BIGINT,
  count BIGINT,
  seal_intact BIGINT,
  temperature_tenths_c BIGINT,
  detail TEXT NOT NULL,
  happened_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX box_step_box ON box_step (box);
-- Which tube lies in which box.
CREATE TABLE boxed_tube (
  bucket BIGINT NOT NULL,
  box BIGINT NOT NULL,
  tube BIGINT NOT NULL,
  happened_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, box, tube)
);
CREATE INDEX boxed_tube_tube ON boxed_tube (tube);
-- Tubes that were sealed at a point: until they lie in a box, somebody must answer for them. loose: in no box and not lost.
CREATE TABLE sealed_tube (
  bucket BIGINT NOT NULL,
  tube BIGINT NOT NULL,
  sealer BIGINT,
  sealed_us BIGINT NOT NULL,
  loose BIGINT NOT NULL,
  PRIMARY KEY (bucket, tube)
);
CREATE INDEX sealed_tube_loose ON sealed_tube (loose, sealed_us);
-- Tubes that are gone.
CREATE TABLE lost_tube (
  bucket BIGINT NOT NULL,
  tube BIGINT NOT NULL,
  reason TEXT NOT NULL,
  happened_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, tube)
);
-- What a laboratory took on, for its declared capacity.
CREATE TABLE admission (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  laboratory BIGINT NOT NULL,
  box BIGINT NOT NULL,
  tubes BIGINT NOT NULL,
  anyway BIGINT NOT NULL,
  happened_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX admission_laboratory ON admission (laboratory, happened_us);
-- Contradictions a person settles.
CREATE TABLE custody_finding (
  bucket BIGINT NOT NULL,
  box BIGINT NOT NULL,
  code TEXT NOT NULL,
  event BIGINT NOT NULL,
  happened_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, box, code, event)
);
