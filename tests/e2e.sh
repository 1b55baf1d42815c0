#!/bin/bash
# End to end, over real sockets and a real PostgreSQL: orders through the command line and two
# gateways into the exchange, the books, market data and the ledger; then the demo's day on a second
# market beside the first.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
unset KASHI_DATABASE_URL # PostgreSQL is stopped on the way: it must be this market's own
bin=build/release/bin
passed=0 failed=0
top=$(mktemp -d "${TMPDIR:-/tmp}/kashi-e2e.XXXXXX")
dir=$top/market
watch=

cleanup() {
    [ -z "$watch" ] || kill $watch 2>/dev/null
    local market
    for market in "$dir" "$top/demo"; do
        [ -d "$market" ] || continue
        client/market.sh stop "$market" >/dev/null 2>&1
        sql/cluster.sh remove "$market" >/dev/null 2>&1
    done
    if [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]; then rm -rf "$top"; else echo "left for a look: $top"; fi
}
trap cleanup EXIT

claim() { # sentence, status
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok: $1"
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
        [ ! -s "$top/out" ] || { echo "last output:"; tail -n 10 "$top/out"; }
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

kashi() { # key, arguments …: output in $top/out, exit status kept
    local key=$1
    shift
    $bin/kashi "$@" --dir "$dir" --key "$key" >"$top/out" 2>&1
}
says() { grep -q -- "$1" "$top/out"; }
is() { [ "$1" = "$2" ]; }
field() { # name: the last number under that name in the last JSON output
    grep -o "\"$1\":[0-9]*" "$top/out" | tail -n 1 | cut -d: -f2
}
query() { psql -Atq "$(cat "$dir/database.url")" -c "$1"; }
await() { # seconds, command …: until it succeeds
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.05
    done
}

client/market.sh start "$dir" >"$top/out" 2>&1 && $bin/kashi-demo --dir "$dir" samples >>"$top/out" 2>&1
status=$?
claim "a market starts, with sample accounts, resources and offers" $status
[ $status -eq 0 ] || finish
grep 'bin/kashi' "$top/out" >"$top/commands"
tried=0
while read -r command; do
    bash -c "$command" >"$top/out" 2>&1 || tried=1
done <"$top/commands"
claim "the three commands that a new market suggests work as they are printed" \
    $((tried + ($(wc -l <"$top/commands") != 3)))

# --- one trade ------------------------------------------------------------------------------------
hour=$(date -u -d '+8 hours' +%Y%m%dT%HZ)
offered=H100.CN-GZ.G80.$hour
bought=H100.CN-GZ.G50.$hour
kashi analyst-1 book "$offered" --json
before=$(field best_offer_e4)
$bin/kashi watch "$bought" --count 3 --dir "$dir" --key analyst-1 --json >"$top/watch" 2>&1 &
watch=$!
kashi provider-1 offer "$offered" --qty 16 --price 13.00 --resource 1 --gateway 1 --json
claim "an offer rests and is echoed as understood" $?
says '"exec_type":"new".*"side":"sell","price_e4":130000,"order_qty":16'
claim "the echo names side, price and quantity" $?
offer=$(field order_id)
kashi analyst-1 book "$offered" --json
is "$(field best_offer_e4)" 130000 && [ "$before" -gt 130000 ]
claim "the book shows it, read after write, through any gateway" $?

kashi buyer-1 account --json
cash=$(field cash_e4)
kashi buyer-1 bid "$bought" --qty 8 --price 13.50 --gateway 2 --json
claim "a bid of a lower tier through the other gateway is accepted" $?
says '"exec_type":"trade".*"last_px_e4":130000,"last_qty":8,"liquidity":"taker","fee_e4":1040,"trade_tier":"G50"'
claim "it trades at the resting price, in the bid's tier" $?
bid_cl_ord_id=$(field cl_ord_id)
kashi buyer-1 account --json
is "$(field cash_e4)" $((cash - 8 * 130000 - 1040)) && says "\"hour\":\"$hour\",\"tier\":\"G50\",\"qty\":8"
claim "the buyer has paid price x quantity + fee and holds the GPU-hours" $?
kashi provider-1 trades --json
says '"price_e4":130000,"qty":8,"fee_e4":520,"liquidity":"maker","trade_tier":"G50"'
claim "the seller sees its side of the trade" $?
await 10 grep -qs '"price_e4":130000,"qty":8' "$top/watch"
claim "market data shows the trade to who follows the contract" $?

# --- refusals and ends ----------------------------------------------------------------------------
kashi buyer-1 bid "$bought" --qty 8 --price 1300
is $? 1 && says 'PRICE_OUTSIDE_BAND'
claim "a refusal has exit status 1 and its reason" $?
kashi buyer-1 bid --qty 8
is $? 2
claim "wrong usage has exit status 2" $?
KASHI_KEY='' $bin/kashi account --dir "$dir" --gateway tcp://127.0.0.1:1 --key buyer-1 --timeout 1 >"$top/out" 2>&1
is $? 3
claim "no connection has exit status 3" $?
kashi buyer-1 offer "$offered" --qty 8 --price 13.00 --resource 1
is $? 1 && says 'INSUFFICIENT_CAPACITY'
claim "who holds another tier or hour of a resource cannot sell this one" $?
says '\[8 against 0\]'
claim "and is not told how much of it its provider has left" $?

kashi provider-1 replace "$offer" --qty 24 --price 13.20 --json
says '"exec_type":"replaced".*"price_e4":132000'
claim "a replace is carried out" $?
kashi operator admin halt --class H100 --region CN-GZ
kashi analyst-1 book "$bought" && says 'HALTED'
claim "the book says that a market is halted" $?
kashi buyer-1 bid "$bought" --qty 8 --price 13.00
is $? 1 && says 'MARKET_HALTED'
claim "a halted market takes no order" $?
kashi provider-1 cancel "$offer"
claim "a cancel works while the market is halted" $?
kashi operator admin resume --class H100 --region CN-GZ
kashi buyer-1 bid "$bought" --qty 8 --price 12.50 --json
open=$(field order_id)
kashi operator admin kill --account "$(query "SELECT account FROM kashi.accounts WHERE name = 'buyer-1'")"
kashi buyer-1 order "$open" --json
says '"ord_status":"canceled"' && says '"reason_name":"KILLED"'
claim "the kill switch cancels what is open" $?
kashi buyer-1 bid "$bought" --qty 8 --price 12.50
is $? 1 && says 'ACCOUNT_KILLED'
claim "and lets nothing new in" $?
kashi operator admin revive --account "$(query "SELECT account FROM kashi.accounts WHERE name = 'buyer-1'")"

{
    echo "class,region,tier,from,hours,gpus,price,resource"
    echo "H100,CN-GZ,G80,$(date -u -d '+30 hours' +%Y-%m-%dT%H),12,8,13.10,1"
} >"$top/catalogue.csv"
kashi provider-1 offer --catalogue "$top/catalogue.csv" --json
is $? 0 && says '"accepted":12,"refused":0'
claim "a provider's catalogue is posted: an offer an hour" $?

# --- orders of several hours or contracts ---------------------------------------------------------
lane=H100.CN-GZ.G80
first=$lane.$(date -u -d '+60 hours' +%Y%m%dT%HZ) second=$lane.$(date -u -d '+61 hours' +%Y%m%dT%HZ)
from=$(date -u -d '+70 hours' +%Y%m%dT%HZ) to=$(date -u -d '+94 hours' +%Y%m%dT%HZ)
kashi provider-1 offer "$first" --qty 64 --price 13.00 --display 8 --resource 1 --json
claim "an iceberg is taken" $?
kashi analyst-1 book "$first" --json
says '"price_e4":130000,"qty":8,"orders":1'
claim "and the market sees its slice" $?
kashi provider-1 offer "$lane.$from" --hours 24 --qty 16 --price 13.00 --resource 1 --job-lead 12 --json
is $? 0 && says '"request":"new_range".*"hours":24,"orders":24'
claim "a range of reserved offers is one order" $?
range=$(field order_id)
kashi analyst-1 book "$lane.$from" --json
says '"offers":\[{"price_e4":130000,"qty":0,"reserved_qty":16,"orders":1}\]' && ! says best_offer
claim "and is shown apart from what a plain bid may take" $?
kashi buyer-2 set --qty 16 --leg "$first=12.80" --leg "$second=12.70" --json
is $? 0 && says '"request":"new_set".*"legs":\[{"leg":1'
claim "a SET is echoed with its legs" $?
set_id=$(field order_id)
kashi analyst-1 book "$second" --json
says '"price_e4":127000,"qty":0,"shared_qty":16,"orders":1'
claim "and rests in each of their books as shared quantity" $?
kashi provider-1 offer "$second" --qty 8 --price 12.50 --resource 1 --json
kashi analyst-1 book "$first" --json
says '"price_e4":128000,"qty":0,"shared_qty":8,"orders":1'
claim "a fill in one of them leaves less in the other" $?
kashi buyer-2 order "$set_id"
says '12.70  live      8' && says ' 8  gate '
claim "and the SET's status tells which legs live, and its balance" $?
kashi buyer-2 replace "$set_id" --qty 24
is $? 0 && kashi analyst-1 book "$first" --json && says '"price_e4":128000,"qty":0,"shared_qty":16,"orders":1'
claim "more of a SET, what was filled included, rests in all of them" $?
kashi buyer-2 cancel "$set_id"
claim "a SET is canceled as a whole" $?
set -- job --gpus 16 --hours 8 --from "$from" --to "$to" --price 14 --lane H100/CN-GZ/G80
kashi buyer-2 "$@" --dry-run --json
is $? 0 && says '"fill_qty":128,"notional_e4":16640000'
claim "a dry run tells what a JOB would pay" $?
kashi buyer-2 "$@" --json
is $? 0 && says '"exec_type":"trade".*"leaves_qty":0,"cum_qty":128.*"contingent":true'
claim "and the JOB buys just that, out of what was reserved for it" $?
kashi buyer-2 job --gpus 128 --hours 8 --from "$from" --to "$to" --price 14 --lane H100/CN-GZ/G80
is $? 0 && says 'nearest: 16 of 128 GPUs at your limit in H100.CN-GZ.G80 from'
claim "one that does not fit rests and is told how near it came" $?
job=$(awk 'NR == 2 { print $1 }' "$top/out")
kashi buyer-2 replace "$job" --qty 120
is $? 0 && says 'nearest: 16 of 120 GPUs at your limit in H100.CN-GZ.G80 from'
claim "so is one that is replaced" $?
kashi buyer-2 order "$job"
says 'nearest: 16 of 120 GPUs'
claim "and its status tells it later" $?
kashi buyer-2 replace "$job" --qty 128
kashi provider-1 replace "$range" --price 13.20 --json
is $? 0 && says '"exec_type":"replaced".*"price_e4":132000'
claim "a range gets a new price as a whole" $?
kashi provider-1 cancel "$range"
claim "a range is canceled as a whole" $?

# --- an auction -----------------------------------------------------------------------------------
terms() { # opening_s
    kashi operator admin market --class H100 --region CN-GZ --mode continuous --inner-band-bp 2000 --outer-band-bp 5000 \
        --launch-price-g0 13.00 --launch-price-g80 13.00 --opening-s "$1"
}
call=$lane.$(date -u -d '+500 hours' +%Y%m%dT%HZ)
:>"$top/watch"
$bin/kashi watch "$call" --dir "$dir" --key analyst-1 --csv >"$top/watch" 2>&1 &
watch=$!
$bin/kashi watch "$call" --dir "$dir" --key analyst-1 >"$top/watch.people" 2>&1 &
watch="$watch $!"
await 10 grep -qs continuous "$top/watch" && await 10 grep -qs "$call" "$top/watch.people"
terms 6
kashi provider-1 offer "$call" --qty 8 --price 12.90 --resource 1 --json
kashi buyer-1 bid "$call" --qty 8 --price 13.10 --json
is $? 0 && says '"exec_type":"new"' && ! says '"exec_type":"trade"'
claim "an opening auction collects what would trade" $?
kashi analyst-1 book "$call" --json
says '"phase":"opening"' && says '"indicative_qty":8'
claim "and shows what it would give" $?
opened() { kashi analyst-1 book "$call" --json && says '"last_px_e4":130000,"last_qty":8'; }
await 20 opened
claim "it ends by itself, at the price nearest the reference" $?
in_auction() { is "$(query "SELECT condition, aggressor FROM kashi.fills WHERE symbol = '$call'")" '2|2'; }
await 20 in_auction && kashi buyer-1 trades --json && says '"symbol":"'"$call"'".*"liquidity":"auction"'
claim "its trade is marked as an auction's, in the ledger and to its buyer" $?
kashi operator admin halt --class H100 --region CN-GZ
kashi operator admin resume --class H100 --region CN-GZ
phases() { is "$(tail -n +2 "$top/watch" | cut -d, -f10 | uniq | tr -d '\r' | paste -sd' ')" \
    'continuous pre_open opening continuous halted continuous'; }
await 10 phases
claim "who watches the hour is told of every phase" $?
await 10 grep -q "$call *trade    8 × 13.00, opening auction$" "$top/watch.people"
claim "and, in words, that its trade was an auction's" $?
kill $watch && wait $watch
watch=
terms 0
claim "and an operator ends opening auctions" $?

# --- a listing ------------------------------------------------------------------------------------
mode() { # mode, options …
    kashi operator admin market 910B CN-NM --mode "$@" --inner-band-bp 2000 --outer-band-bp 5000 --launch-price-g80 6.00
}
mode listing --names-shown
listed=910B.CN-NM.G80.$(date -u -d '+500 hours' +%Y%m%dT%HZ)
kashi buyer-1 bid "$listed" --qty 8 --price 6.00
is $? 1 && says 'NOT_SUPPORTED'
claim "a listing market takes no bid" $?
kashi provider-1 offer "$listed" --qty 16 --price 6.00 --resource 7
kashi buyer-1 book "$listed" --json
says '"listed":\[{"order_id":[0-9]*,"price_e4":60000,"qty":16,"name":"provider-1","resource":7,"node":"node-CN-NM"}\]'
claim "it shows its offers by name" $?
kashi buyer-1 take "$(field order_id)" --qty 8 --json
is $? 0 && says '"exec_type":"trade".*"last_px_e4":60000,"last_qty":8'
claim "and a buyer takes a part of the one it chooses" $?
kashi provider-1 mass-cancel --class 910B --hour-from "${listed##*.}" --hour-to "$(date -u -d '+502 hours' +%Y-%m-%dT%H)"
is $? 0 && says '1 order canceled' && mode continuous
claim "what is left of it goes with a range of hours" $?

# --- a trace --------------------------------------------------------------------------------------
trace() { # options …: brings the sample in
    $bin/kashi import --dir "$dir" --nodes data/sample_nodes.csv --jobs data/sample_jobs.csv --longest 24 \
        --json "$@" >"$top/out" 2>&1
}
trace --plan
is $? 0 && says '"tasks":40,.*"tasks_without_gpu":2,.*"tasks_ordered":37,.*"chained":3,.*"jobs":40' && ! says '"import"'
claim "a plan shows what a trace would become" $?
trace
is $? 0 && says '"resources":8,"ranges":8,.*"jobs_accepted":40,' && [ "$(field jobs_filled)" -ge 25 ]
claim "a small cluster's trace becomes resources, ranges and JOBs" $?
matched=$(field matched_gpu_hours) price=$(field mean_price_e4)
trace
is $? 0 && says '"jobs_accepted":40,.*"sent_before":48,' && is "$(field matched_gpu_hours)" "$matched" &&
    is "$(field mean_price_e4)" "$price"
claim "brought in again, it orders nothing twice and knows what became of all" $?
# 128 are of the JOB further up.
in_ledger() { is "$(query "SELECT sum(qty) FROM kashi.fills WHERE condition = 1")" $((matched + 128)); }
await 30 in_ledger
claim "the ledger has the JOBs' fills" $?
trace --key buyer-1
is $? 1 && says "ROLE_NOT_ALLOWED (18).*give an operator's key with --key$"
claim "who may not found a market is told so, and what to give" $?
$bin/kashi import --dir "$dir" --nodes data/sample_jobs.csv --jobs data/sample_jobs.csv >"$top/out" 2>&1
is $? 2 && says "data/sample_jobs.csv:2: column 'sn' is missing"
claim "a file without a needed column is refused by name" $?
sed 's/demo-task-05,.*/demo-task-05,1,1,1,-1,"T4,LS/' data/sample_jobs.csv >"$top/jobs.csv"
$bin/kashi import --dir "$dir" --nodes data/sample_nodes.csv --jobs "$top/jobs.csv" --plan >"$top/out" 2>&1
is $? 0 && says 'jobs.csv:7: a quote is opened' && says ' 36  of them ordered'
claim "a broken line is named, the others are taken" $?
# Many ranges, so that reports are under way when the JOB is answered.
(echo sn,gpu,model && seq -f 'node-%g,1,T4' 80) >"$top/nodes.csv"
printf '%s\n' name,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time long,1,1000,T4,LS,0,2880000 >"$top/jobs.csv"
$bin/kashi import --dir "$dir" --nodes "$top/nodes.csv" --jobs "$top/jobs.csv" --island-nodes 1 --json >"$top/out" 2>&1
is $? 0 && says '"jobs_filled":1,.*"matched_gpu_hours":800,'
claim "every hour of a long task is counted, however many fills it has" $?

# --- a list of offers -----------------------------------------------------------------------------
kashi operator admin market --class 4090 --region CN-SH --mode listing --names-shown --inner-band-bp 2000 \
    --outer-band-bp 5000 --launch-price-g0 1.30
far=$(date -u -d '+300 hours' +%Y%m%dT%H)
{
    echo class,region,tier,from,hours,gpus,price
    for _ in $(seq 60); do echo "4090,CN-SH,G0,$far,1,1,1.30"; done
} >"$top/listed.csv"
kashi operator list resources --json
listed=$(grep '"class":"4090","region":"CN-SH"' "$top/out" | grep -o '"id":[0-9]*' | head -n 1 | cut -d: -f2)
kashi provider-1 offer --csv "$top/listed.csv" --resource "$listed"
claim "sixty offers are entered in a listing market" $?
kashi buyer-1 book "4090.CN-SH.G0.${far}Z" --csv
is "$(grep -c ',provider-1,' "$top/out")" 60
claim "and listed one by one, by name, however many" $?

# --- restarts -------------------------------------------------------------------------------------
sql/cluster.sh stop "$dir"
kashi buyer-2 bid "$offered" --qty 8 --price 13.60 --json
claim "trading goes on while PostgreSQL is down" $?
kashi buyer-2 trades --json
fill=$(field fill_id)
sql/cluster.sh start "$dir" >"$top/out"
filled() { is "$(query "SELECT count(*) FROM kashi.fills WHERE fill_id = $fill" 2>/dev/null)" 1; }
await 30 filled
claim "settlement catches up when it is back" $?
client/market.sh down "$dir" exchange && client/market.sh up "$dir" exchange
known() { kashi buyer-1 order --cl-ord-id "$bid_cl_ord_id" --json && says '"ord_status":"filled"'; }
await 10 known
claim "after a restart of the exchange a request is known by its number" $?
kashi provider-1 orders --json
is "$(grep -c '"symbol":"H100.CN-GZ.G80' "$top/out")" 14
claim "and what rested rests" $?
client/market.sh start "$dir" >"$top/out" 2>&1 && $bin/kashi-demo --dir "$dir" samples >>"$top/out" 2>&1 &&
    ! grep -q REJECTED "$top/out"
claim "starting a market that runs changes nothing" $?

# --- the demo, beside it --------------------------------------------------------------------------
client/demo.sh "$top/demo" --orders-a-minute 40 --seed 7 >"$top/demo.out" 2>&1
status=$?
tail -n 30 "$top/demo.out"
claim "a demo's day beside it ends with a verdict" $status
line=$(tail -n 1 "$top/demo.out")
[[ $line =~ ^demo:\ orders=[0-9]{5,}\ fills=([0-9]{4,})\ settled=([0-9]+)\ ledger_sum=0\ index_values=[0-9]{2,}\ verdict=ok$ ]] &&
    is "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
claim "its last line is the verdict, every fill settled" $?
[[ $(tail -n 2 "$top/demo.out" | head -n 1) =~ ^SETs:\ [0-9]{3,}\ entered,\ [0-9]{2,}\ filled.*JOBs:\ [0-9]{3,}\ entered,\ [0-9]{2,}\ filled ]]
claim "SETs and JOBs were entered and filled" $?
grep -qE '^Auctions with trades: [1-9][0-9]* opening, [1-9][0-9]+ periodic' "$top/demo.out"
claim "auctions opened one market and cleared another" $?
is "$(sed -n '/^Index/,/^$/p' "$top/demo.out" | grep -c '2026-11-2[12] .* 1 ')" 10
claim "ten index values of level 1" $?

# --- the books ------------------------------------------------------------------------------------
$bin/kashi-check --dir "$dir" --invariants "$root/sql/invariants.sql" >"$top/out" 2>&1
claim "the checker finds the first market's books in order" $?
# A checker that cannot find a fault is none: one posting more, in a copy of the rules' own sums.
query "ALTER TABLE kashi.postings DISABLE TRIGGER ALL;
       UPDATE kashi.postings SET amount = amount + 1
       WHERE (seq, index, line) = (SELECT seq, index, line FROM kashi.postings WHERE kind = 2 LIMIT 1)" >"$top/out" 2>&1
$bin/kashi-check --dir "$dir" >"$top/out" 2>&1
is $? 1 && says 'verdict=wrong' && says 'by the tape'
claim "and finds a ledger that was tampered with" $?
client/market.sh stop "$dir"
claim "the market stops" $?
client/market.sh status "$dir" >"$top/out"
! says ' runs$'
claim "nothing of it is left running" $?
seq=$($bin/kashi-exchange --dir "$dir" --replay 2>/dev/null | sed -n 's/^seq=\([0-9]*\) .*/\1/p')
tail -n 1 "$dir/log/settlement.log" >"$top/out"
says "the ledger is at command $seq\$"
claim "its ledger ends level with its journal" $?
! ls "$dir"/*.sock >"$top/out" 2>/dev/null
claim "and no socket file is left" $?
finish
