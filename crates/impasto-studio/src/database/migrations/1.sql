-- The same for SQLite and PostgreSQL. Times are milliseconds since 1970, truth values 0 and 1.

CREATE TABLE files (
    sha256 TEXT NOT NULL PRIMARY KEY,
    -- What the file was called when it was uploaded.
    name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    -- Width and height of the upright picture in px.
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    -- The job of a picture that impasto made, as JSON.
    recipe TEXT,
    created BIGINT NOT NULL,
    -- When it was last uploaded or used: what nobody uses is removed.
    used BIGINT NOT NULL
);

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    -- The order in which jobs were created.
    number BIGINT NOT NULL UNIQUE,
    -- As it was asked for, as JSON.
    job TEXT NOT NULL,
    title TEXT NOT NULL,
    -- In small letters, to be searched.
    title_lower TEXT NOT NULL,
    -- 'picture' or 'preview'.
    lane TEXT NOT NULL,
    jobs_group TEXT,
    priority BIGINT NOT NULL,
    state TEXT NOT NULL,
    -- 'pause' or 'cancel', until the worker has done it.
    wanted TEXT,
    idempotency_key TEXT UNIQUE,
    -- What the key was first used for.
    request TEXT NOT NULL,
    favourite BIGINT NOT NULL DEFAULT 0,
    deleted BIGINT,
    created BIGINT NOT NULL,
    started BIGINT,
    ended BIGINT,
    -- Who works on it, by which right, and until when.
    worker TEXT,
    lease BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    -- The number of the last news under this lease.
    batch BIGINT NOT NULL DEFAULT 0,
    -- Workers that vanished with it since it last came further.
    strikes BIGINT NOT NULL DEFAULT 0,
    furthest BIGINT NOT NULL DEFAULT 0,
    -- The number of its newest checkpoint in the store; 0: none.
    checkpoint BIGINT NOT NULL DEFAULT 0,
    -- Changes of its weights while it ran, as JSON: those that were made, and those still asked for.
    adjustments TEXT NOT NULL DEFAULT '[]',
    asked TEXT NOT NULL DEFAULT '[]',
    -- The number of its newest event.
    last_event BIGINT NOT NULL DEFAULT 0,
    -- The version of its live picture, and when somebody last looked at it.
    picture BIGINT,
    watched BIGINT NOT NULL DEFAULT 0,
    progress TEXT,
    plan TEXT,
    report TEXT,
    error TEXT,
    -- What its result is called in the store.
    result TEXT
);

CREATE INDEX jobs_queue ON jobs (lane, state, priority, number);

CREATE TABLE events (
    job TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (job, seq)
);

CREATE TABLE workers (
    name TEXT NOT NULL PRIMARY KEY,
    device TEXT NOT NULL,
    job TEXT,
    seen BIGINT NOT NULL
);

-- The number of the next job.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO counters (name, value) VALUES ('jobs', 0);
