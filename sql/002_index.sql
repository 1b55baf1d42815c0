-- Index values by their three kinds and by the moment that the method sets for them. Pricing makes
-- every row from the tape alone, as often as it must: the key lets the second writing of a value
-- find the first.
ALTER TABLE kashi.index_values
    DROP CONSTRAINT index_values_kind_check,
    ADD CONSTRAINT index_values_kind_check CHECK (kind IN ('indicative', 'preliminary', 'final')),
    ADD COLUMN trading_day integer NOT NULL, -- whose trades it is made from, UTC+8, since 1970-01-01
    DROP CONSTRAINT index_values_pkey,
    ADD PRIMARY KEY (class_id, region_id, tier, day, kind, time_ns);

COMMENT ON COLUMN kashi.index_values.time_ns IS
    'moment of publication: end of a partition (indicative), 5 min (preliminary) or 30 min (final) '
    'after the trading day';
COMMENT ON COLUMN kashi.index_values.tape_seq IS 'made from the tape up to this command';
