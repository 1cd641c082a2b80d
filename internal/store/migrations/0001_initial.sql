-- Times are microseconds since 1970 in UTC, 0 for never. JSON is text. SQLite reads this file with
-- the types of dialect.go.

CREATE TABLE settings (
	key        TEXT   PRIMARY KEY,
	value      BYTEA  NOT NULL,
	updated_at BIGINT NOT NULL
);

CREATE TABLE deliveries (
	guid            TEXT   PRIMARY KEY,
	event           TEXT   NOT NULL,
	action          TEXT   NOT NULL,
	installation_id BIGINT NOT NULL,
	headers         TEXT   NOT NULL,
	body            BYTEA  NOT NULL,
	received_at     BIGINT NOT NULL,
	state           TEXT   NOT NULL CHECK (state IN ('received', 'processed', 'ignored', 'failed')),
	error           TEXT   NOT NULL DEFAULT '',
	attempts        BIGINT NOT NULL DEFAULT 0,
	updated_at      BIGINT NOT NULL
);
CREATE INDEX deliveries_state ON deliveries (state, received_at);

CREATE TABLE installations (
	id         BIGINT  PRIMARY KEY,
	account    TEXT    NOT NULL,
	active     BOOLEAN NOT NULL,
	updated_at BIGINT  NOT NULL
);

CREATE TABLE repositories (
	id              BIGINT  PRIMARY KEY,
	installation_id BIGINT  NOT NULL,
	owner           TEXT    NOT NULL,
	name            TEXT    NOT NULL,
	default_branch  TEXT    NOT NULL,
	clone_url       TEXT    NOT NULL,
	active          BOOLEAN NOT NULL,
	updated_at      BIGINT  NOT NULL
);
CREATE INDEX repositories_installation ON repositories (installation_id, id);

CREATE TABLE pulls (
	repository_id BIGINT  NOT NULL REFERENCES repositories (id),
	number        BIGINT  NOT NULL,
	title         TEXT    NOT NULL,
	author_id     BIGINT  NOT NULL,
	author_login  TEXT    NOT NULL,
	author_bot    BOOLEAN NOT NULL,
	state         TEXT    NOT NULL CHECK (state IN ('open', 'closed', 'merged')),
	draft         BOOLEAN NOT NULL,
	base_ref      TEXT    NOT NULL,
	base_sha      TEXT    NOT NULL,
	head_ref      TEXT    NOT NULL,
	head_sha      TEXT    NOT NULL,
	fork          BOOLEAN NOT NULL,
	labels        TEXT    NOT NULL,
	updated_at    BIGINT  NOT NULL,
	generation    BIGINT  NOT NULL DEFAULT 0,
	comment_id    BIGINT  NOT NULL DEFAULT 0,
	comment_hash  TEXT    NOT NULL DEFAULT '',
	PRIMARY KEY (repository_id, number)
);
CREATE INDEX pulls_base ON pulls (repository_id, base_ref, state);
CREATE INDEX pulls_head ON pulls (repository_id, head_sha);

CREATE TABLE notes (
	repository_id BIGINT NOT NULL,
	number        BIGINT NOT NULL,
	key           TEXT   NOT NULL,
	author        TEXT   NOT NULL,
	body          TEXT   NOT NULL,
	created_at    BIGINT NOT NULL,
	PRIMARY KEY (repository_id, number, key)
);

CREATE TABLE evaluations (
	id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	token         TEXT   NOT NULL UNIQUE,
	repository_id BIGINT NOT NULL,
	number        BIGINT NOT NULL,
	head_sha      TEXT   NOT NULL,
	base_ref      TEXT   NOT NULL,
	base_sha      TEXT   NOT NULL,
	generation    BIGINT NOT NULL,
	attempt       BIGINT NOT NULL DEFAULT 0,
	state         TEXT   NOT NULL CHECK (state IN ('queued', 'running', 'planned', 'published', 'superseded', 'failed')),
	reason        TEXT   NOT NULL DEFAULT '',
	created_at    BIGINT NOT NULL,
	started_at    BIGINT NOT NULL DEFAULT 0,
	finished_at   BIGINT NOT NULL DEFAULT 0,
	digest        TEXT   NOT NULL DEFAULT '',
	verdict       TEXT   NOT NULL DEFAULT '',
	checks        TEXT   NOT NULL DEFAULT '{}',
	shown_by      BIGINT NOT NULL DEFAULT 0,
	plan          BYTEA,
	UNIQUE (repository_id, number, head_sha, base_ref, base_sha, generation)
);
CREATE INDEX evaluations_head ON evaluations (repository_id, head_sha, id);
CREATE INDEX evaluations_unfinished ON evaluations (id) WHERE state IN ('queued', 'running', 'planned');

CREATE TABLE effects (
	key          TEXT   PRIMARY KEY,
	state        TEXT   NOT NULL CHECK (state IN ('intended', 'done')),
	request_hash TEXT   NOT NULL,
	result       TEXT   NOT NULL DEFAULT '',
	created_at   BIGINT NOT NULL,
	done_at      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX effects_done ON effects (done_at);

CREATE TABLE pushes (
	guid          TEXT   PRIMARY KEY,
	repository_id BIGINT NOT NULL,
	ref           TEXT   NOT NULL,
	before_sha    TEXT   NOT NULL,
	after_sha     TEXT   NOT NULL,
	received_at   BIGINT NOT NULL
);
CREATE INDEX pushes_ref ON pushes (repository_id, ref, received_at);

CREATE TABLE audit (
	seq     BIGINT PRIMARY KEY,
	at      BIGINT NOT NULL,
	actor   TEXT   NOT NULL,
	action  TEXT   NOT NULL,
	subject TEXT   NOT NULL,
	detail  TEXT   NOT NULL,
	hash    TEXT   NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, seq);

-- The end of the chain; its one row is also the lock that serialises appending.
CREATE TABLE audit_head (
	id   BIGINT PRIMARY KEY CHECK (id = 1),
	seq  BIGINT NOT NULL,
	hash TEXT   NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '');

CREATE TABLE leases (
	key      TEXT   PRIMARY KEY,
	owner    TEXT   NOT NULL,
	fence    BIGINT NOT NULL,
	until_at BIGINT NOT NULL
);

-- What there is to do. Rows of one lane run one after the other. job_id names the one River job
-- that may run the row; 0 when none may.
CREATE TABLE work (
	id         TEXT    PRIMARY KEY,
	lane       TEXT    NOT NULL,
	kind       TEXT    NOT NULL,
	args       TEXT    NOT NULL,
	state      TEXT    NOT NULL CHECK (state IN ('queued', 'blocked', 'running', 'retrying', 'snoozed', 'failed')),
	job_id     BIGINT  NOT NULL DEFAULT 0,
	owner      TEXT    NOT NULL DEFAULT '',
	until_at   BIGINT  NOT NULL DEFAULT 0,
	superseded BOOLEAN NOT NULL DEFAULT FALSE,
	requested  BIGINT  NOT NULL DEFAULT 1,
	started    BIGINT  NOT NULL DEFAULT 0,
	attempt    BIGINT  NOT NULL DEFAULT 0,
	crashes    BIGINT  NOT NULL DEFAULT 0,
	error      TEXT    NOT NULL DEFAULT '',
	due_at     BIGINT  NOT NULL DEFAULT 0,
	created_at BIGINT  NOT NULL,
	updated_at BIGINT  NOT NULL
);
CREATE INDEX work_lane ON work (lane);
CREATE INDEX work_state ON work (state, until_at);
