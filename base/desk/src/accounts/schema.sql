-- People who sign in. Name and password hash are sealed under the account's own data key.
CREATE TABLE account (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  login_key BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  roles TEXT NOT NULL,
  scope TEXT NOT NULL,
  language TEXT NOT NULL,
  enabled BIGINT NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX account_login ON account (login_key);
-- What somebody was allowed from when on; the account has what holds now.
CREATE TABLE account_right (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  account BIGINT NOT NULL,
  roles TEXT NOT NULL,
  from_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX account_right_account ON account_right (account);
-- Who was found competent for what, until when; nothing stands for "no longer".
CREATE TABLE competence (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  account BIGINT NOT NULL,
  task TEXT NOT NULL,
  assessed_us BIGINT NOT NULL,
  until_us BIGINT,
  assessor BIGINT,
  basis TEXT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX competence_account ON competence (account);
-- Sign-ins; each is a sayer with a device number of its own.
CREATE TABLE session (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  account BIGINT NOT NULL,
  token_hash TEXT NOT NULL,
  device BIGINT NOT NULL,
  started_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX session_token ON session (token_hash);
-- Numbers given to sayers; handheld devices also have a token.
CREATE TABLE device (
  bucket BIGINT NOT NULL,
  number BIGINT NOT NULL,
  name TEXT NOT NULL,
  account BIGINT NOT NULL,
  token_hash TEXT NOT NULL,
  enrolled_us BIGINT NOT NULL,
  revoked BIGINT NOT NULL,
  PRIMARY KEY (bucket, number)
);
CREATE INDEX device_token ON device (token_hash);
-- Who looked at whom.
CREATE TABLE viewed (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  subject BIGINT NOT NULL,
  account BIGINT NOT NULL,
  purpose TEXT NOT NULL,
  happened_us BIGINT NOT NULL,
  PRIMARY KEY (bucket, id, subject)
);
CREATE INDEX viewed_subject ON viewed (subject);
