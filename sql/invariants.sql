-- What always holds in the ledger. One statement, so that it sees one moment even while settlement
-- writes; it returns no row when all is well, else one for each thing that is wrong:
-- (invariant, subject, expected, found). kashi_reader may run it:
--     psql "$(sql/cluster.sh url run)" -f sql/invariants.sql
WITH
-- What each fill and cash movement must have moved, by kind and account.
due AS (
    SELECT seq, index, 2 AS kind, buyer AS account, -(price_e4::numeric * qty + buy_fee_e4) AS amount,
           NULL::integer AS resource, NULL::integer AS hour, NULL::smallint AS tier
    FROM kashi.fills
    UNION ALL SELECT seq, index, 3, buyer, price_e4::numeric * qty, NULL, NULL, NULL
    FROM kashi.fills
    UNION ALL SELECT seq, index, 4, buyer, buy_fee_e4, NULL, NULL, NULL FROM kashi.fills
    UNION ALL SELECT seq, index, 5, seller, -bond_e4, NULL, NULL, NULL FROM kashi.fills
    UNION ALL SELECT seq, index, 6, seller, bond_e4, NULL, NULL, NULL FROM kashi.fills
    UNION ALL SELECT seq, index, CASE source_tier WHEN 7 THEN 7 ELSE 8 END, seller, -qty, resource,
                     hour, CASE source_tier WHEN 7 THEN offer_tier ELSE source_tier END
    FROM kashi.fills
    UNION ALL SELECT seq, index, 8, buyer, qty, resource, hour, tier FROM kashi.fills
    UNION ALL SELECT seq, index, 1, account, -amount_e4, NULL, NULL, NULL FROM kashi.cash_movements
    UNION ALL SELECT seq, index, 2, account, amount_e4, NULL, NULL, NULL FROM kashi.cash_movements
),
-- Due and not posted, or posted and not due: what is left when one is taken from the other.
difference AS (
    SELECT seq, index, kind, account, resource, hour, tier, sum(due) AS due, sum(posted) AS posted
    FROM (SELECT seq, index, kind, account, resource, hour, tier, amount AS due, 0 AS posted FROM due
          UNION ALL
          SELECT seq, index, kind, account, resource, hour, tier, 0, amount FROM kashi.postings) AS both_sides
    GROUP BY seq, index, kind, account, resource, hour, tier
    HAVING sum(due) <> sum(posted)
),
-- Cash of each account after each of its movements, as the ledger has it: what was posted before
-- and with it. The exchange has said what it must be.
ledger_cash AS (
    SELECT seq, index, account, is_movement, said_e4,
           sum(amount) OVER (PARTITION BY account ORDER BY seq, index
                             RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cash_e4
    FROM (SELECT seq, index, account, amount, false AS is_movement, 0 AS said_e4
          FROM kashi.postings WHERE kind = 2
          UNION ALL
          SELECT seq, index, account, 0, true, cash_e4 FROM kashi.cash_movements) AS lines
),
-- Balances made without the ledger.
paid AS (
    SELECT account, sum(cash_e4) AS cash_e4, sum(escrow_e4) AS escrow_e4, sum(bond_e4) AS bond_e4
    FROM (SELECT account, amount_e4::numeric AS cash_e4, 0::numeric AS escrow_e4, 0 AS bond_e4
          FROM kashi.cash_movements
          UNION ALL
          SELECT buyer, -(price_e4::numeric * qty + buy_fee_e4),
                 price_e4::numeric * qty + buy_fee_e4, 0
          FROM kashi.fills
          UNION ALL
          SELECT seller, 0, 0, bond_e4 FROM kashi.fills) AS moves
    GROUP BY account
),
counted AS (
    SELECT (SELECT count(*) FROM kashi.fills) AS fills,
           (SELECT count(*) FROM kashi.cash_movements) AS movements,
           (SELECT count(*) FROM kashi.postings) AS postings,
           (SELECT coalesce(max(seq), 0) FROM
               (SELECT seq FROM kashi.fills UNION ALL SELECT seq FROM kashi.cash_movements
                UNION ALL SELECT seq FROM kashi.postings UNION ALL SELECT seq FROM kashi.classes
                UNION ALL SELECT seq FROM kashi.regions UNION ALL SELECT seq FROM kashi.markets
                UNION ALL SELECT seq FROM kashi.groups UNION ALL SELECT seq FROM kashi.accounts
                UNION ALL SELECT seq FROM kashi.resources) AS all_rows) AS last_seq
)

SELECT 'transaction_sums_to_zero' AS invariant, format('seq %s index %s', seq, index) AS subject,
       '0' AS expected, format('%s of unit %s', sum(amount), unit) AS found
FROM kashi.postings
GROUP BY seq, index, unit
HAVING sum(amount) <> 0

UNION ALL
SELECT 'ledger_sums_to_zero', name, '0', sum::text
FROM kashi.ledger_sums
WHERE sum <> 0

UNION ALL
SELECT 'kind_has_its_unit', format('seq %s index %s line %s', p.seq, p.index, p.line),
       coalesce(k.unit::text, 'a known kind'), format('kind %s unit %s', p.kind, p.unit)
FROM kashi.postings p
LEFT JOIN kashi.posting_kinds k USING (kind)
WHERE k.unit IS DISTINCT FROM p.unit

UNION ALL
SELECT 'fill_stands_once', format('fill_id %s', fill_id), '1', count(*)::text
FROM kashi.fills
GROUP BY fill_id
HAVING count(*) > 1

UNION ALL
SELECT 'posting_stands_once', format('seq %s index %s line %s', seq, index, line), '1', count(*)::text
FROM kashi.postings
GROUP BY seq, index, line
HAVING count(*) > 1

UNION ALL
SELECT 'postings_are_what_is_due',
       format('seq %s index %s kind %s account %s', seq, index, kind, account), due::text, posted::text
FROM difference

UNION ALL
SELECT 'cash_is_what_the_exchange_said', format('account %s at seq %s', account, seq), said_e4::text,
       cash_e4::text
FROM ledger_cash
WHERE is_movement AND cash_e4 <> said_e4

UNION ALL
SELECT 'balance_is_sum_of_moves', format('account %s', coalesce(b.account, m.account)),
       format('cash %s escrow %s bond %s', m.cash_e4, m.escrow_e4, m.bond_e4),
       format('cash %s escrow %s bond %s', b.cash_e4, b.escrow_e4, b.bond_locked_e4)
FROM kashi.account_balances b
FULL JOIN paid m USING (account)
WHERE (coalesce(b.cash_e4, 0), coalesce(b.escrow_e4, 0), coalesce(b.bond_locked_e4, 0)) <>
      (coalesce(m.cash_e4, 0), coalesce(m.escrow_e4, 0), coalesce(m.bond_e4, 0))

UNION ALL
SELECT 'held_money_is_not_negative', format('account %s', account), 'at least 0',
       format('escrow %s fees %s bond %s', escrow_e4, fees_e4, bond_locked_e4)
FROM kashi.account_balances
WHERE escrow_e4 < 0 OR fees_e4 < 0 OR bond_locked_e4 < 0

UNION ALL
SELECT 'holding_is_not_negative',
       format('account %s resource %s hour %s tier %s', account, resource, hour, tier), 'at least 0',
       qty::text
FROM kashi.holdings
WHERE qty < 0

UNION ALL
SELECT 'capacity_is_sold_once', format('resource %s hour %s', c.resource, c.hour),
       format('at most %s of account %s', r.gpus, r.account), format('%s by account %s', c.qty, c.account)
FROM kashi.capacity_sold c
LEFT JOIN kashi.resources r USING (resource)
WHERE r.resource IS NULL OR c.account <> r.account OR c.qty > r.gpus

UNION ALL
SELECT 'holdings_are_what_was_sold', format('resource %s hour %s', resource, hour), '0', sum(amount)::text
FROM kashi.postings
WHERE unit = 2
GROUP BY resource, hour
HAVING sum(amount) <> 0

UNION ALL
SELECT 'fill_fits_the_registry', format('seq %s index %s', f.seq, f.index),
       format('%s.%s resource of class %s region %s', c.name, r.name, s.class_id, s.region_id),
       format('%s of class %s region %s', f.symbol, f.class_id, f.region_id)
FROM kashi.fills f
LEFT JOIN kashi.classes c USING (class_id)
LEFT JOIN kashi.regions r USING (region_id)
LEFT JOIN kashi.resources s USING (resource)
WHERE f.symbol IS DISTINCT FROM format(
          '%s.%s.%s.%s', c.name, r.name, (ARRAY['G0', 'G50', 'G80', 'G100'])[f.tier + 1],
          to_char(to_timestamp(f.hour::bigint * 3600) AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24"Z"'))
   OR (s.class_id, s.region_id) IS DISTINCT FROM (f.class_id, f.region_id)
   OR f.contract <> (f.class_id::bigint << 48) + (f.region_id::bigint << 32) + (f.tier::bigint << 24) + f.hour

UNION ALL
SELECT 'progress_is_one_row', 'kashi.progress', '1', count(*)::text
FROM kashi.progress
HAVING count(*) <> 1

UNION ALL
SELECT 'progress_fits_the_tables', 'kashi.progress',
       format('last_seq at least %s, fills %s, movements %s, postings %s', c.last_seq, c.fills,
              c.movements, c.postings),
       format('last_seq %s, fills %s, movements %s, postings %s', p.last_seq, p.fills, p.movements,
              p.postings)
FROM kashi.progress p, counted c
WHERE p.last_seq < c.last_seq OR (p.fills, p.movements, p.postings) <> (c.fills, c.movements, c.postings)

UNION ALL
SELECT 'genesis_is_known', 'kashi.genesis', '1', count(*)::text
FROM kashi.genesis
HAVING count(*) <> least((SELECT max(last_seq) FROM kashi.progress), 1)

UNION ALL
SELECT 'index_value_is_of_a_lane', format('day %s class %s region %s', v.day, v.class_id, v.region_id),
       'a registered class and region', format('%s %s', c.name, r.name)
FROM kashi.index_values v
CROSS JOIN kashi.progress p
LEFT JOIN kashi.classes c USING (class_id)
LEFT JOIN kashi.regions r USING (region_id)
WHERE (c.class_id IS NULL OR r.region_id IS NULL) AND v.tape_seq <= p.last_seq
ORDER BY 1, 2
;
