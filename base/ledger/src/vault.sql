-- One data key per person or account, wrapped by the installation's key. A destroyed key leaves its row with no bytes.
CREATE TABLE data_key (
  bucket BIGINT NOT NULL,
  subject BIGINT NOT NULL,
  wrapped BYTEA NOT NULL,
  PRIMARY KEY (bucket, subject)
);
