-- How a trade came about, by the numbers of the tape (wire/event.h, enum trade_condition): a JOB's fill
-- had 1 before, so the old rows keep their meaning.
ALTER TABLE kashi.fills RENAME COLUMN contingent TO condition;
COMMENT ON COLUMN kashi.fills.condition IS
    '0 an arriving order met a resting one, 1 fill of a JOB, 2 opening, 3 periodic, 4 volatility auction';
COMMENT ON COLUMN kashi.fills.aggressor IS '0 buyer, 1 seller, 2 none: the trade of an auction';
