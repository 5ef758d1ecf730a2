-- Every tube on its way from the first swab to the released result; folded from screening, custody and this room in any order.
CREATE TABLE tube_clock (
  bucket BIGINT NOT NULL,
  tube BIGINT NOT NULL,
  code TEXT,
  campaign BIGINT,
  point BIGINT,
  ratio BIGINT,
  follow_up BIGINT NOT NULL,
  fluid_lot BIGINT,
  opened_us BIGINT,
  members BIGINT NOT NULL,
  first_swab_us BIGINT,
  sealed_us BIGINT,
  sealed_count BIGINT,
  box BIGINT,
  boxed_us BIGINT,
  laboratory BIGINT,
  accessioned_us BIGINT,
  rejected TEXT,
  lost TEXT,
  plate BIGINT,
  laid_us BIGINT,
  run BIGINT,
  read_us BIGINT,
  outcome TEXT,
  released_us BIGINT,
  waiting BIGINT NOT NULL,
  PRIMARY KEY (bucket, tube)
);
CREATE INDEX tube_clock_waiting ON tube_clock (waiting, first_swab_us);
CREATE INDEX tube_clock_code ON tube_clock (code);
CREATE INDEX tube_clock_box ON tube_clock (box);
CREATE INDEX tube_clock_fluid ON tube_clock (fluid_lot);
CREATE INDEX tube_clock_accessioned ON tube_clock (laboratory, accessioned_us);
CREATE INDEX tube_clock_released ON tube_clock (laboratory, released_us);
-- Boxes, as far as the clock needs them.
CREATE TABLE box_clock (
  bucket BIGINT NOT NULL,
  box BIGINT NOT NULL,
  code TEXT,
  point BIGINT,
  sealed_us BIGINT,
  handed_us BIGINT,
  arrived_us BIGINT,
  laboratory BIGINT,
  PRIMARY KEY (bucket, box)
);
CREATE INDEX box_clock_code ON box_clock (code);
CREATE INDEX box_clock_arrived ON box_clock (arrived_us);
-- Who had a hand in what: opened, swabbed, sealed, boxed, carried, admitted, accessioned, laid, read, signed, amended.
CREATE TABLE hand (
  bucket BIGINT NOT NULL,
  subject BIGINT NOT NULL,
  account BIGINT NOT NULL,
  deed TEXT NOT NULL,
  kind TEXT NOT NULL,
  happened_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, subject, deed, account)
);
CREATE INDEX hand_account ON hand (account, kind);
-- Each look at a tube on arrival.
CREATE TABLE accession (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  tube BIGINT NOT NULL,
  laboratory BIGINT NOT NULL,
  rejected TEXT,
  account BIGINT,
  happened_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX accession_tube ON accession (tube);
CREATE INDEX accession_laboratory ON accession (laboratory, happened_us);
-- Plates. `number` counts the plates of a laboratory; the controls' places follow from it. No assay: a bench plate of nobody's specimens.
CREATE TABLE plate (
  bucket BIGINT NOT NULL,
  plate BIGINT NOT NULL,
  code TEXT NOT NULL,
  laboratory BIGINT NOT NULL,
  number BIGINT NOT NULL,
  wells BIGINT NOT NULL,
  assay TEXT,
  fingerprint BIGINT NOT NULL,
  extraction_lot BIGINT,
  pcr_lot BIGINT,
  laid_us BIGINT NOT NULL,
  laid_by BIGINT,
  state TEXT NOT NULL,
  run BIGINT,
  remark TEXT,
  PRIMARY KEY (bucket, plate)
);
CREATE INDEX plate_laboratory ON plate (laboratory, number);
CREATE INDEX plate_state ON plate (state, laid_us);
CREATE INDEX plate_code ON plate (code);
CREATE INDEX plate_extraction ON plate (extraction_lot);
CREATE INDEX plate_pcr ON plate (pcr_lot);
-- What stands in each well.
CREATE TABLE well (
  bucket BIGINT NOT NULL,
  plate BIGINT NOT NULL,
  well BIGINT NOT NULL,
  content TEXT NOT NULL,
  tube BIGINT,
  PRIMARY KEY (bucket, plate, well)
);
CREATE INDEX well_tube ON well (tube);
-- Runs. The curves themselves stay in the ledger, in the event whose id is the run's.
CREATE TABLE run (
  bucket BIGINT NOT NULL,
  run BIGINT NOT NULL,
  plate BIGINT NOT NULL,
  laboratory BIGINT NOT NULL,
  rules TEXT NOT NULL,
  verify_rules TEXT NOT NULL,
  controls_valid BIGINT NOT NULL,
  file_name TEXT NOT NULL,
  file_sha256 TEXT NOT NULL,
  instrument TEXT NOT NULL,
  read_us BIGINT NOT NULL,
  read_by BIGINT,
  proposed_by BIGINT,
  proposed_director BIGINT,
  override_reason TEXT,
  confirmed_by BIGINT,
  confirmed_us BIGINT,
  PRIMARY KEY (bucket, run)
);
CREATE INDEX run_plate ON run (plate);
CREATE INDEX run_laboratory ON run (laboratory, read_us);
-- What is wrong with a run; it holds exactly the wells it lists (JSON numbers).
CREATE TABLE run_finding (
  bucket BIGINT NOT NULL,
  run BIGINT NOT NULL,
  number BIGINT NOT NULL,
  code TEXT NOT NULL,
  wells TEXT NOT NULL,
  seen_in TEXT NOT NULL,
  target TEXT,
  matches BIGINT,
  PRIMARY KEY (bucket, run, number)
);
-- One curve's reading.
CREATE TABLE reading (
  bucket BIGINT NOT NULL,
  run BIGINT NOT NULL,
  well BIGINT NOT NULL,
  number BIGINT NOT NULL,
  target TEXT NOT NULL,
  call TEXT NOT NULL,
  p_positive DOUBLE PRECISION NOT NULL,
  cq DOUBLE PRECISION,
  reasons TEXT NOT NULL,
  PRIMARY KEY (bucket, run, well, number)
);
-- The rules' answer for each specimen well.
CREATE TABLE well_call (
  bucket BIGINT NOT NULL,
  run BIGINT NOT NULL,
  well BIGINT NOT NULL,
  tube BIGINT,
  result TEXT NOT NULL,
  reasons TEXT NOT NULL,
  action TEXT NOT NULL,
  not_passed TEXT NOT NULL,
  PRIMARY KEY (bucket, run, well)
);
-- A tube's results, every version. The highest version is what holds now; earlier ones stay to be seen.
CREATE TABLE result (
  bucket BIGINT NOT NULL,
  tube BIGINT NOT NULL,
  version BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  state TEXT NOT NULL,
  run BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  reason TEXT,
  passed TEXT,
  first_by BIGINT,
  first_director BIGINT,
  first_us BIGINT,
  second_by BIGINT,
  second_us BIGINT,
  PRIMARY KEY (bucket, tube, version)
);
CREATE INDEX result_run ON result (run, state);
CREATE INDEX result_state ON result (state);
-- A correction that waits for the second person.
CREATE TABLE amendment (
  bucket BIGINT NOT NULL,
  tube BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  proposed_by BIGINT,
  proposed_director BIGINT NOT NULL,
  proposed_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, tube)
);
-- What does not fit together and waits for a person.
CREATE TABLE laboratory_finding (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  code TEXT NOT NULL,
  subject BIGINT NOT NULL,
  other BIGINT,
  happened_us BIGINT NOT NULL,
  settled_us BIGINT,
  settled_by BIGINT,
  remark TEXT,
  PRIMARY KEY (bucket, id, code)
);
CREATE INDEX laboratory_finding_open ON laboratory_finding (settled_us, happened_us);
CREATE INDEX laboratory_finding_subject ON laboratory_finding (subject);
