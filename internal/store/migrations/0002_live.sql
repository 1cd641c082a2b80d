-- What clusters said of a plan: a fingerprint of it, when it was read, and of how many objects
-- nothing is known. Empty and 0: no cluster was asked.
ALTER TABLE evaluations ADD COLUMN live_fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE evaluations ADD COLUMN live_unknown BIGINT NOT NULL DEFAULT 0;
ALTER TABLE evaluations ADD COLUMN live_at BIGINT NOT NULL DEFAULT 0;
