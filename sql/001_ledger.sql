-- The ledger of one market and the registry that gives its numbers names. Everything here is made
-- from the tape: (seq, index) is the event's name there. Money is bigint, ten-thousandths of a
-- yuan (_e4); quantities are whole GPUs for one hour; times are nanoseconds since 1970-01-01 UTC
-- (_ns); hours are counted from there as well. Ids are the exchange's; the 64-bit ones keep their
-- bits, so one of 2^63 or more would show as negative.
--
-- Tables are append-only and have no foreign keys: rows are complete in themselves, the tape has
-- been checked by the exchange, and sql/invariants.sql proves what foreign keys would.

-- --- roles ---------------------------------------------------------------------------------------
-- Roles belong to the whole server: another market on it may have made them, even just now.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['kashi_settlement', 'kashi_pricing', 'kashi_reader'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
END
$$;

-- --- progress ------------------------------------------------------------------------------------
-- The one row says up to which command the tape has been applied; it changes in the transaction
-- that applies a batch, so each event arrives exactly once. The counts are what was written so far.
CREATE TABLE kashi.progress (
    one          boolean PRIMARY KEY DEFAULT true CHECK (one),
    last_seq     bigint NOT NULL,
    last_time_ns bigint NOT NULL,
    fills        bigint NOT NULL,
    movements    bigint NOT NULL,
    postings     bigint NOT NULL
);
INSERT INTO kashi.progress VALUES (true, 0, 0, 0, 0, 0);

-- Which market this database belongs to: the first event of its tape.
CREATE TABLE kashi.genesis (
    seq           bigint PRIMARY KEY CHECK (seq = 1),
    time_ns       bigint NOT NULL,
    rules_version integer NOT NULL,
    operator_key  bytea NOT NULL
);

-- --- registry ------------------------------------------------------------------------------------
CREATE TABLE kashi.classes (
    class_id     integer PRIMARY KEY,
    seq          bigint NOT NULL,
    name         text NOT NULL,
    lot          bigint NOT NULL,
    memory_gib   bigint NOT NULL,
    bf16_gflops  bigint NOT NULL,
    host_power_w bigint NOT NULL
);

CREATE TABLE kashi.regions (
    region_id         integer PRIMARY KEY,
    seq               bigint NOT NULL,
    name              text NOT NULL,
    grid_g_per_kwh_e2 bigint NOT NULL,
    carbon_free_bp    bigint NOT NULL
);

-- One row for each time that an operator set the market; the latest is in force.
CREATE TABLE kashi.markets (
    seq            bigint PRIMARY KEY,
    class_id       integer NOT NULL,
    region_id      integer NOT NULL,
    mode           smallint NOT NULL,
    flags          smallint NOT NULL,
    inner_band_bp  bigint NOT NULL,
    outer_band_bp  bigint NOT NULL,
    launch_g0_e4   bigint NOT NULL,
    launch_g50_e4  bigint NOT NULL,
    launch_g80_e4  bigint NOT NULL,
    launch_g100_e4 bigint NOT NULL
);

CREATE TABLE kashi.groups (
    group_id integer PRIMARY KEY,
    seq      bigint NOT NULL,
    name     text NOT NULL
);

CREATE TABLE kashi.accounts (
    account  integer PRIMARY KEY,
    seq      bigint NOT NULL,
    name     text NOT NULL,
    group_id integer NOT NULL,
    roles    smallint NOT NULL
);

CREATE TABLE kashi.resources (
    resource       integer PRIMARY KEY,
    seq            bigint NOT NULL,
    identifier     text NOT NULL, -- 算力标识
    node           text NOT NULL,
    account        integer NOT NULL,
    class_id       integer NOT NULL,
    region_id      integer NOT NULL,
    tier           smallint NOT NULL,
    gpus           bigint NOT NULL,
    pue_e4         bigint NOT NULL,
    bandwidth_mbps bigint NOT NULL
);

-- --- what happened -------------------------------------------------------------------------------
-- Every trade, as the tape tells it. buy_fee_e4 has been paid with the fill; sell_fee_e4 will be
-- withheld from the seller's proceeds, bond_e4 of the seller's is locked until the fill is released.
CREATE TABLE kashi.fills (
    seq           bigint NOT NULL,
    index         integer NOT NULL,
    time_ns       bigint NOT NULL,
    fill_id       bigint NOT NULL,
    contract      bigint NOT NULL, -- the bid's: what is owed
    price_e4      bigint NOT NULL,
    qty           bigint NOT NULL,
    buy_order_id  bigint NOT NULL,
    sell_order_id bigint NOT NULL,
    trade_group   bigint NOT NULL, -- 0 none
    buy_fee_e4    bigint NOT NULL,
    sell_fee_e4   bigint NOT NULL,
    bond_e4       bigint NOT NULL,
    buyer         integer NOT NULL, -- accounts
    seller        integer NOT NULL,
    buyer_group   integer NOT NULL,
    seller_group  integer NOT NULL,
    resource      integer NOT NULL,
    class_id      integer NOT NULL, -- of the contract, taken apart
    region_id     integer NOT NULL,
    hour          integer NOT NULL,
    tier          smallint NOT NULL,
    offer_tier    smallint NOT NULL,
    source_tier   smallint NOT NULL, -- 7: the provider's own capacity; else the holding resold
    aggressor     smallint NOT NULL, -- 0 buyer, 1 seller
    contingent    smallint NOT NULL,
    symbol        text NOT NULL,
    PRIMARY KEY (seq, index)
);

-- Deposits (above 0), withdrawals (below 0) and changes of the credit limit (0), with what the
-- exchange says the account holds afterwards.
CREATE TABLE kashi.cash_movements (
    seq       bigint NOT NULL,
    index     integer NOT NULL,
    time_ns   bigint NOT NULL,
    account   integer NOT NULL,
    amount_e4 bigint NOT NULL,
    cash_e4   bigint NOT NULL,
    credit_e4 bigint NOT NULL,
    reference text NOT NULL,
    PRIMARY KEY (seq, index)
);

-- --- the ledger ----------------------------------------------------------------------------------
-- Double entry. A transaction is what one event (seq, index) moved; its lines sum to zero in each
-- unit. Nothing is ever changed or deleted: a correction is a transaction of its own.
CREATE TABLE kashi.units (
    unit smallint PRIMARY KEY,
    name text NOT NULL
);
INSERT INTO kashi.units VALUES (1, 'CNY_e4'), (2, 'GPUH');

CREATE TABLE kashi.posting_kinds (
    kind    smallint PRIMARY KEY,
    unit    smallint NOT NULL,
    name    text NOT NULL,
    meaning text NOT NULL
);
INSERT INTO kashi.posting_kinds VALUES
    (1, 1, 'bank', 'the outside: minus what the account has brought in and not taken out'),
    (2, 1, 'cash', 'money of the account at the exchange, as the engine counts it'),
    (3, 1, 'escrow', 'price x quantity that the buyer has paid into its fills'),
    (4, 1, 'fees', 'buyer''s fees of its fills, held until the hour is delivered'),
    (5, 1, 'pledge', 'contra of bond: the seller''s cash or credit that stands behind it'),
    (6, 1, 'bond', 'bond of the seller, locked for its fills; a memorandum, cash stays where it is'),
    (7, 2, 'capacity', 'minus the GPU-hours of its own resource that the provider has sold'),
    (8, 2, 'holding', 'GPU-hours that the account has bought and not resold, by the tier bought');

CREATE TABLE kashi.postings (
    seq      bigint NOT NULL,
    amount   bigint NOT NULL CHECK (amount <> 0), -- CNY_e4 or GPU-hours
    account  integer NOT NULL,
    resource integer,  -- GPUH: of which resource, hour and tier; else null
    index    integer NOT NULL,
    hour     integer,
    line     smallint NOT NULL, -- within the transaction, from 0
    unit     smallint NOT NULL,
    kind     smallint NOT NULL,
    tier     smallint
);
-- No key of its own: a second (seq, index) already fails at the key of kashi.fills or
-- kashi.cash_movements in the same transaction. A key over every posting would halve the speed, and
-- the cheapest index (brin) takes a fifth; docs/settlement.md says which one to add for statements.

-- --- the index, written by pricing ---------------------------------------------------------------
CREATE TABLE kashi.index_values (
    class_id          integer NOT NULL,
    region_id         integer NOT NULL,
    tier              smallint NOT NULL,
    day               integer NOT NULL, -- delivery day, UTC+8, days since 1970-01-01
    kind              text NOT NULL CHECK (kind IN ('indicative', 'final')),
    level             text NOT NULL CHECK (level IN ('1', '2', '2q', '3', '4', '5')),
    price_e4          bigint CHECK (price_e4 > 0), -- null: not published
    volume_qty        bigint NOT NULL CHECK (volume_qty >= 0),
    observations      bigint NOT NULL,
    left_out          bigint NOT NULL DEFAULT 0,
    buyers            bigint NOT NULL DEFAULT 0,
    sellers           bigint NOT NULL DEFAULT 0,
    value_day         integer, -- level 4: the trading day whose value this is
    parameter_version integer NOT NULL,
    tape_seq          bigint NOT NULL, -- made from the tape up to this command
    time_ns           bigint NOT NULL, -- of that command
    PRIMARY KEY (class_id, region_id, day, tier, kind, tape_seq),
    CHECK ((price_e4 IS NULL) = (level = '5'))
);

-- --- append only ---------------------------------------------------------------------------------
-- Privileges keep the roles from it; this keeps the owner from it by mistake.
CREATE FUNCTION kashi.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'kashi.% is append-only; post a reversal instead', TG_TABLE_NAME;
END
$$;
DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['postings', 'fills', 'cash_movements', 'index_values'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kashi.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION kashi.refuse_change()', table_name);
    END LOOP;
END
$$;

-- --- views ---------------------------------------------------------------------------------------
-- cash_e4, escrow_e4 (fees included) and bond_locked_e4 are the engine's at progress.last_seq.
CREATE VIEW kashi.account_balances AS
SELECT account,
       coalesce(sum(amount) FILTER (WHERE kind = 2), 0)::bigint AS cash_e4,
       coalesce(sum(amount) FILTER (WHERE kind IN (3, 4)), 0)::bigint AS escrow_e4,
       coalesce(sum(amount) FILTER (WHERE kind = 4), 0)::bigint AS fees_e4,
       coalesce(sum(amount) FILTER (WHERE kind = 6), 0)::bigint AS bond_locked_e4,
       coalesce(-sum(amount) FILTER (WHERE kind = 1), 0)::bigint AS paid_in_e4
FROM kashi.postings
WHERE unit = 1
GROUP BY account;

CREATE VIEW kashi.holdings AS
SELECT account, resource, hour, tier, sum(amount)::bigint AS qty
FROM kashi.postings
WHERE kind = 8
GROUP BY account, resource, hour, tier;

CREATE VIEW kashi.capacity_sold AS
SELECT account, resource, hour, (-sum(amount))::bigint AS qty
FROM kashi.postings
WHERE kind = 7
GROUP BY account, resource, hour;

-- What each fill moved: buyer pays notional + buy_fee, seller will be paid notional - sell_fee.
CREATE VIEW kashi.fill_amounts AS
SELECT seq, index, fill_id, time_ns, symbol, buyer, seller, resource, price_e4, qty,
       price_e4 * qty AS notional_e4, buy_fee_e4, sell_fee_e4, bond_e4,
       price_e4 * qty + buy_fee_e4 AS paid_e4,
       price_e4 * qty - sell_fee_e4 AS proceeds_e4
FROM kashi.fills;

-- The whole ledger; the sums are 0.
CREATE VIEW kashi.ledger_sums AS
SELECT u.unit, u.name, coalesce(sum(p.amount), 0) AS sum
FROM kashi.units u
LEFT JOIN kashi.postings p USING (unit)
GROUP BY u.unit, u.name;

-- For people.
CREATE VIEW kashi.statement AS
SELECT p.seq, p.index, p.line,
       to_timestamp(coalesce(f.time_ns, c.time_ns) / 1000000000) AS at,
       a.name AS account, k.name AS kind, u.name AS unit, p.amount,
       coalesce(f.symbol, c.reference) AS what
FROM kashi.postings p
JOIN kashi.units u USING (unit)
JOIN kashi.posting_kinds k USING (kind)
LEFT JOIN kashi.accounts a ON a.account = p.account
LEFT JOIN kashi.fills f ON (f.seq, f.index) = (p.seq, p.index)
LEFT JOIN kashi.cash_movements c ON (c.seq, c.index) = (p.seq, p.index);

-- --- privileges ----------------------------------------------------------------------------------
REVOKE ALL ON ALL TABLES IN SCHEMA kashi FROM PUBLIC;
GRANT USAGE ON SCHEMA kashi TO kashi_settlement, kashi_pricing, kashi_reader;

GRANT SELECT, INSERT ON kashi.genesis, kashi.classes, kashi.regions, kashi.markets, kashi.groups,
    kashi.accounts, kashi.resources, kashi.fills, kashi.cash_movements, kashi.postings
    TO kashi_settlement;
GRANT SELECT ON kashi.progress, kashi.migrations TO kashi_settlement;
GRANT UPDATE (last_seq, last_time_ns, fills, movements, postings) ON kashi.progress
    TO kashi_settlement;

GRANT SELECT, INSERT ON kashi.index_values TO kashi_pricing;
GRANT SELECT ON kashi.progress, kashi.genesis, kashi.classes, kashi.regions, kashi.markets
    TO kashi_pricing;

GRANT SELECT ON ALL TABLES IN SCHEMA kashi TO kashi_reader;
