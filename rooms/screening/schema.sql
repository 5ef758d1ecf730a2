-- A campaign: who, which assay, how pooled, when. `rounds` is the number of its last round.
CREATE TABLE campaign (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  who TEXT NOT NULL,
  assay TEXT NOT NULL,
  ratio BIGINT NOT NULL,
  cadence_days BIGINT NOT NULL,
  rounds BIGINT NOT NULL,
  opens_us BIGINT NOT NULL,
  closes_us BIGINT NOT NULL,
  opened_by BIGINT,
  PRIMARY KEY (bucket, id)
);
-- Whom a campaign names, one row each: a place, a tag or a person.
CREATE TABLE campaign_who (
  bucket BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  kind TEXT NOT NULL,
  subject BIGINT NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (bucket, campaign, kind, subject, tag)
);
CREATE TABLE campaign_round (
  bucket BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  number BIGINT NOT NULL,
  opens_us BIGINT NOT NULL,
  closes_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, campaign, number)
);
-- One obligation: a person in a round. Bucket of the person; places are 0 where there is none.
-- state: 0 due, 1 sampled, 2 pending, 3 resulted, 4 held, 5 exempt. listed = 0: came although not on the campaign's list.
CREATE TABLE due (
  bucket BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  round BIGINT NOT NULL,
  person BIGINT NOT NULL,
  zone BIGINT NOT NULL,
  grid BIGINT NOT NULL,
  building BIGINT NOT NULL,
  enterprise BIGINT NOT NULL,
  household BIGINT NOT NULL,
  listed BIGINT NOT NULL,
  state BIGINT NOT NULL,
  reason TEXT NOT NULL,
  result TEXT NOT NULL,
  tube BIGINT,
  swabbed_us BIGINT,
  PRIMARY KEY (bucket, campaign, round, person)
);
CREATE INDEX due_place ON due (campaign, round, zone, grid, building, enterprise);
-- How many obligations of each state there are among people of the same places.
CREATE TABLE cell (
  bucket BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  round BIGINT NOT NULL,
  zone BIGINT NOT NULL,
  grid BIGINT NOT NULL,
  building BIGINT NOT NULL,
  enterprise BIGINT NOT NULL,
  due BIGINT NOT NULL,
  sampled BIGINT NOT NULL,
  pending BIGINT NOT NULL,
  resulted BIGINT NOT NULL,
  held BIGINT NOT NULL,
  exempt BIGINT NOT NULL,
  extra BIGINT NOT NULL,
  PRIMARY KEY (bucket, campaign, round, zone, grid, building, enterprise)
);
CREATE INDEX cell_place ON cell (campaign, round, zone, grid, building, enterprise);
-- The same by building alone: a hundred times fewer rows, for boards that ask for no enterprise.
CREATE TABLE building_cell (
  bucket BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  round BIGINT NOT NULL,
  zone BIGINT NOT NULL,
  grid BIGINT NOT NULL,
  building BIGINT NOT NULL,
  due BIGINT NOT NULL,
  sampled BIGINT NOT NULL,
  pending BIGINT NOT NULL,
  resulted BIGINT NOT NULL,
  held BIGINT NOT NULL,
  exempt BIGINT NOT NULL,
  extra BIGINT NOT NULL,
  PRIMARY KEY (bucket, campaign, round, zone, grid, building)
);
CREATE INDEX building_cell_campaign ON building_cell (campaign, round);
-- The same by enterprise alone, for boards of a whole city. Bucket of the enterprise; 0 where there is none.
CREATE TABLE enterprise_cell (
  bucket BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  round BIGINT NOT NULL,
  enterprise BIGINT NOT NULL,
  due BIGINT NOT NULL,
  sampled BIGINT NOT NULL,
  pending BIGINT NOT NULL,
  resulted BIGINT NOT NULL,
  held BIGINT NOT NULL,
  exempt BIGINT NOT NULL,
  extra BIGINT NOT NULL,
  PRIMARY KEY (bucket, campaign, round, enterprise)
);
CREATE INDEX enterprise_cell_campaign ON enterprise_cell (campaign, round);
-- How many listed people came in each quarter of an hour, by the swab on which their standing rests.
CREATE TABLE due_quarter (
  bucket BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  round BIGINT NOT NULL,
  zone BIGINT NOT NULL,
  grid BIGINT NOT NULL,
  quarter_us BIGINT NOT NULL,
  came BIGINT NOT NULL,
  PRIMARY KEY (bucket, campaign, round, zone, grid, quarter_us)
);
CREATE INDEX due_quarter_campaign ON due_quarter (campaign, round);
-- How many obligations stand as they do for a reason.
CREATE TABLE due_reason (
  bucket BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  round BIGINT NOT NULL,
  zone BIGINT NOT NULL,
  grid BIGINT NOT NULL,
  state BIGINT NOT NULL,
  reason TEXT NOT NULL,
  people BIGINT NOT NULL,
  PRIMARY KEY (bucket, campaign, round, zone, grid, state, reason)
);
CREATE INDEX due_reason_campaign ON due_reason (campaign, round);
-- Who need not come, in every round of a campaign. Bucket of the person.
CREATE TABLE exemption (
  bucket BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  person BIGINT NOT NULL,
  reason TEXT NOT NULL,
  remark TEXT NOT NULL,
  exempted_us BIGINT NOT NULL,
  account BIGINT,
  PRIMARY KEY (bucket, campaign, person)
);
-- A tube. opened = 0: others spoke of it before its opening arrived. Bucket of the point.
CREATE TABLE tube (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  opened BIGINT NOT NULL,
  code TEXT NOT NULL,
  campaign BIGINT NOT NULL,
  round BIGINT NOT NULL,
  point BIGINT NOT NULL,
  ratio BIGINT NOT NULL,
  follow_up BIGINT NOT NULL,
  fluid_lot BIGINT,
  opened_us BIGINT NOT NULL,
  opened_by BIGINT,
  swabs BIGINT NOT NULL,
  seal BIGINT,
  sealed_us BIGINT,
  sealed_count BIGINT,
  resealed BIGINT NOT NULL,
  accession BIGINT,
  accessioned_us BIGINT,
  rejected TEXT NOT NULL,
  lost_us BIGINT,
  lost TEXT NOT NULL,
  outcome TEXT NOT NULL,
  released BIGINT NOT NULL,
  held_us BIGINT,
  held_outcome TEXT NOT NULL,
  findings BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX tube_code ON tube (code);
CREATE INDEX tube_campaign ON tube (campaign, opened_us);
CREATE INDEX tube_point ON tube (point, opened_us);
CREATE INDEX tube_operator ON tube (opened_by, sealed_us);
CREATE INDEX tube_lot ON tube (fluid_lot);
-- A swab in a tube: one row per scan. tube is nothing while only the undoing of the scan is known.
CREATE TABLE member (
  bucket BIGINT NOT NULL,
  scan BIGINT NOT NULL,
  tube BIGINT,
  person BIGINT,
  swabbed_us BIGINT,
  account BIGINT,
  undoing BIGINT,
  undone_reason TEXT NOT NULL,
  undone_us BIGINT,
  PRIMARY KEY (bucket, scan)
);
CREATE INDEX member_tube ON member (tube);
CREATE INDEX member_person ON member (person);
-- The line of a point as it was counted last, by the time of the count.
CREATE TABLE point_line (
  bucket BIGINT NOT NULL,
  point BIGINT NOT NULL,
  event BIGINT NOT NULL,
  waiting BIGINT NOT NULL,
  open TEXT NOT NULL,
  counted_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, point)
);
-- Who must be swabbed again, singly, because their tube was not clean, or again because it never arrived. Bucket of the person.
-- closed: empty while open, else why it is closed. waived: a decision closed it, with its reason.
CREATE TABLE follow_up (
  bucket BIGINT NOT NULL,
  person BIGINT NOT NULL,
  tube BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  round BIGINT NOT NULL,
  reason TEXT NOT NULL,
  single BIGINT NOT NULL,
  opened_us BIGINT NOT NULL,
  closed TEXT NOT NULL,
  again BIGINT,
  waived TEXT NOT NULL,
  waived_us BIGINT,
  waived_by BIGINT,
  PRIMARY KEY (bucket, person, tube)
);
CREATE INDEX follow_up_open ON follow_up (campaign, closed);
-- Contradictions among facts, for a person to settle. subject: a tube, or a scan for scan-unknown; bucket of the subject.
CREATE TABLE screening_finding (
  bucket BIGINT NOT NULL,
  subject BIGINT NOT NULL,
  code TEXT NOT NULL,
  person BIGINT NOT NULL,
  point BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  settled BIGINT NOT NULL,
  settled_us BIGINT,
  settled_by BIGINT,
  remark TEXT NOT NULL,
  PRIMARY KEY (bucket, subject, code, person)
);
CREATE INDEX screening_finding_person ON screening_finding (person);
CREATE INDEX screening_finding_open ON screening_finding (settled, at_us);
-- Blocks of tube label numbers. They follow each other through the whole installation.
CREATE TABLE label_block (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  first BIGINT NOT NULL,
  count BIGINT NOT NULL,
  point BIGINT NOT NULL,
  device BIGINT,
  issued_us BIGINT NOT NULL,
  issued_by BIGINT,
  prints BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX label_block_first ON label_block (first);
-- Labels that will not be used. Which ones were is asked of the tubes.
CREATE TABLE label_struck (
  bucket BIGINT NOT NULL,
  number BIGINT NOT NULL,
  reason TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  told_by BIGINT,
  PRIMARY KEY (bucket, number)
);
CREATE INDEX label_struck_number ON label_struck (number);
