# Kashi. `make` builds, `make run` runs the market, `make demo` shows a day, `make test` tests.
#
# Every variant has its own tree under build/: release (default), asan (ASan+UBSan, debug), clang
# (release with clang), fuzz (clang's libFuzzer). `make V=asan` builds the programs of another one.

.DEFAULT_GOAL = all
V ?= release
VARIANTS = release asan clang fuzz
B = build/$(V)

CC_release = gcc
CC_asan    = gcc
CC_clang   = clang
CC_fuzz    = clang

WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wvla -Wundef \
	-Wcast-qual -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wswitch-enum -Werror
# The tuning keeps gcc from clearing an event with a string instruction, a start of twenty cycles.
ARCH := $(if $(NATIVE),-march=native,$(if $(filter x86_64,$(shell uname -m)),-march=x86-64-v2 -mtune=skylake-avx512))
OPT_release = -O3 -g
OPT_asan    = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DKASHI_DEBUG
OPT_clang   = -O3 -g
# The core is optimised across its files where it is linked; the objects hold plain code as well.
CORE_release = -flto -ffat-lto-objects
OPT_fuzz    = -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -DKASHI_DEBUG
CFLAGS = -std=c11 -D_GNU_SOURCE -I. -isystem /usr/include/postgresql $(WARNINGS) $(ARCH) -fno-strict-aliasing -MMD -MP
LIBS = -Wl,--as-needed -lzmq -lmsgpackc -lpq -linih -ljansson -lcrypto -lm -pthread

# --- sources, one block a folder -----------------------------------------------------------------
# A group of sources becomes an archive. A program names its main source and the groups that it uses:
#   PROGRAMS += kashi-foo
#   kashi-foo_MAIN = foo/main.c
#   kashi-foo_USES = FOO WIRE BASE
# A test suite tests/test_foo.c (TESTS += foo) uses TESTKIT CORE WIRE BASE unless test_foo_USES says
# otherwise; so do fuzz targets tests/fuzz_foo.c (FUZZERS += foo, fuzz_foo_USES) and benchmarks
# bench/foo.c (BENCHES += foo, bench_foo_USES).
GROUPS = BASE WIRE CORE EXCHANGE REPLICA GATEWAY SETTLEMENT PRICING CLIENT COMMAND TESTKIT BENCHKIT

BASE = base/check.c base/error.c base/log.c base/clock.c base/crc32c.c base/arena.c base/config.c \
	base/endpoints.c base/file.c base/file_posix.c

WIRE = wire/contract.c wire/reject.c wire/seal.c wire/frame.c wire/link.c wire/tape.c wire/codec.c \
	wire/codec_decode.c wire/codec_value.c wire/codec_names.c \
	wire/codec_table_message.c wire/codec_table_request.c wire/enter.c wire/report.c

CORE = exchange/core/engine.c exchange/core/order.c exchange/core/order_check.c \
	exchange/core/replace.c exchange/core/range.c exchange/core/set.c exchange/core/set_check.c \
	exchange/core/set_enter.c exchange/core/set_arrive.c exchange/core/plain.c exchange/core/quote.c \
	exchange/core/match.c exchange/core/take.c exchange/core/deal.c exchange/core/iceberg.c exchange/core/book.c exchange/core/tree.c exchange/core/capacity.c exchange/core/timers.c \
	exchange/core/housekeeping.c exchange/core/session.c exchange/core/registry.c \
	exchange/core/job.c exchange/core/job_check.c exchange/core/job_offers.c exchange/core/job_search.c \
	exchange/core/job_due.c exchange/core/job_quote.c exchange/core/job_sanity.c exchange/core/reads.c exchange/core/sanity.c \
	exchange/core/auction.c exchange/core/auction_clear.c exchange/core/auction_trade.c exchange/core/listing.c \
	exchange/core/set_sleep.c exchange/core/reservation.c
# The slow model of the exchange, and what feeds it and the engine.
GROUPS += MODEL
MODEL = tests/model.c tests/model_order.c tests/model_book.c tests/model_money.c tests/model_due.c \
	tests/model_room.c tests/model_range.c tests/model_set.c tests/model_set_miss.c tests/model_job.c tests/model_job_fit.c \
	tests/model_job_due.c tests/model_registry.c tests/model_text.c tests/model_audit.c \
	tests/model_audit_job.c tests/model_twin.c tests/model_random.c tests/model_random_hours.c \
	tests/model_random_job.c tests/model_random_operator.c tests/model_scenario.c \
	tests/model_scenario_command.c tests/model_scenario_job.c tests/model_scenario_operator.c \
	tests/model_auction.c tests/model_clearing.c
TESTS += model scenarios core_orders core_memory job job_resting contract reject auction_clear
GROUPS += JOB_MARKET
JOB_MARKET = tests/job_market.c
test_job_USES = JOB_MARKET CORE WIRE BASE
test_job_resting_USES = JOB_MARKET CORE WIRE BASE
test_model_USES = MODEL CORE WIRE BASE
test_scenarios_USES = MODEL CORE WIRE BASE
test_core_orders_USES = MODEL CORE WIRE BASE
test_core_memory_USES = CORE WIRE BASE
test_contract_USES = WIRE BASE
test_auction_clear_USES = CORE WIRE BASE
test_reject_USES = WIRE BASE

# The core for other programs, behind one header.
GROUPS += CORE_LIBRARY
CORE_LIBRARY = exchange/kashi_core.c
TESTS += kashi_core
test_kashi_core_USES = CORE_LIBRARY BENCHKIT CORE WIRE BASE
all: $(B)/lib/libkashi-core.a
$(B)/lib/libkashi-core.a: $(patsubst %.c,$(B)/%.o,$(CORE_LIBRARY) $(CORE) wire/reject.c base/check.c)
	@echo "  AR  $@"; mkdir -p $(@D); rm -f $@; ar rcs $@ $^

EXCHANGE = exchange/journal_format.c exchange/journal_read.c exchange/journal_write.c \
	exchange/journal_recover.c exchange/timekeeper.c exchange/settings.c exchange/replay.c \
	exchange/sequencer.c
PROGRAMS += kashi-exchange
kashi-exchange_MAIN = exchange/main.c
kashi-exchange_USES = EXCHANGE CORE WIRE BASE
TESTS += base journal link sequencer
test_journal_USES = EXCHANGE TESTKIT WIRE BASE
FUZZERS += journal frame
fuzz_frame_USES = WIRE BASE
fuzz_journal_USES = EXCHANGE CORE TESTKIT WIRE BASE
test_base_USES = WIRE BASE
test_link_USES = WIRE BASE
test_sequencer_USES = EXCHANGE CORE WIRE BASE

REPLICA = exchange/replica_map.c exchange/depth.c exchange/market_data.c exchange/shown.c exchange/tape_store.c exchange/status.c \
	exchange/replica_registry.c exchange/tape_server.c exchange/replica.c exchange/reads.c \
	exchange/reads_orders.c exchange/reads_row.c exchange/reads_quote.c exchange/reads_server.c exchange/market_data_pub.c
PROGRAMS += kashi-replica
kashi-replica_MAIN = exchange/replica_main.c
kashi-replica_USES = REPLICA EXCHANGE CORE WIRE BASE
GROUPS += READS_KIT
READS_KIT = tests/reads_world.c
TESTS += tape market_data shown shown_model status reads reads_kinds reads_server
test_tape_USES = REPLICA WIRE BASE
test_market_data_USES = REPLICA WIRE BASE
test_shown_USES = REPLICA WIRE BASE
test_reads_kinds_USES = READS_KIT REPLICA CORE WIRE BASE
test_shown_model_USES = MODEL REPLICA CORE WIRE BASE
test_status_USES = REPLICA WIRE BASE
test_reads_USES = READS_KIT REPLICA CORE WIRE BASE
test_reads_server_USES = READS_KIT REPLICA CORE WIRE BASE
FUZZERS += tape
fuzz_tape_USES = REPLICA WIRE BASE

GATEWAY = gateway/core/registry.c gateway/core/session.c gateway/core/translate.c gateway/auth.c \
	gateway/outbox.c gateway/reads.c gateway/requests.c gateway/reports.c gateway/settings.c \
	gateway/gateway.c
PROGRAMS += kashi-gateway
kashi-gateway_MAIN = gateway/main.c
kashi-gateway_USES = GATEWAY WIRE BASE
TESTS += codec codec_random codec_tables report gateway gateway_core protocol
FUZZERS += codec
test_gateway_core_USES = GATEWAY WIRE BASE
test_gateway_USES = TESTKIT GATEWAY WIRE BASE

SETTLEMENT = settlement/core/ledger.c settlement/core/rows.c settlement/pg.c settlement/migrate.c \
	settlement/migrations.c settlement/store.c
PROGRAMS += kashi-settlement
kashi-settlement_MAIN = settlement/main.c
kashi-settlement_USES = SETTLEMENT WIRE BASE
GROUPS += SETTLEMENT_KIT SETTLEMENT_BASE
SETTLEMENT_KIT = tests/settlement_market.c
SETTLEMENT_BASE = tests/settlement_base.c tests/settlement_proxy.c
TESTS += settlement_core settlement_pg settlement_store settlement_engine
test_settlement_core_USES = SETTLEMENT_KIT SETTLEMENT WIRE BASE
test_settlement_pg_USES = SETTLEMENT_BASE SETTLEMENT_KIT SETTLEMENT WIRE BASE
test_settlement_store_USES = SETTLEMENT_BASE SETTLEMENT_KIT SETTLEMENT WIRE BASE
test_settlement_engine_USES = SETTLEMENT_BASE SETTLEMENT_KIT SETTLEMENT CORE WIRE BASE
FUZZERS += settlement
fuzz_settlement_USES = SETTLEMENT WIRE BASE
BENCHES += settlement
bench_settlement_USES = SETTLEMENT_KIT SETTLEMENT WIRE BASE
# The migrations stand in the program.
$(foreach v,$(VARIANTS),build/$(v)/settlement/migrations.o): $(wildcard sql/[0-9]*.sql)

PRICING = pricing/core/lane_day.c pricing/core/index.c pricing/latest.c pricing/publish.c \
	pricing/store.c pricing/pg.c
PROGRAMS += kashi-pricing
kashi-pricing_MAIN = pricing/main.c
kashi-pricing_USES = PRICING WIRE BASE
TESTS += data pricing_core pricing_model pricing_process
test_data_USES = WIRE BASE
test_pricing_core_USES = PRICING WIRE BASE
test_pricing_model_USES = PRICING WIRE BASE
test_pricing_process_USES = PRICING WIRE BASE

CLIENT = client/kashi_book.c client/kashi_connection.c client/kashi_feed.c client/kashi_key.c client/kashi_pending.c \
	client/kashi_session.c

COMMAND = client/arguments.c client/catalogue.c client/cli.c client/command_admin.c client/command_key.c \
	client/command_market.c client/command_multi.c client/command_order.c client/command_read.c client/csv.c client/decimal.c \
	client/fields.c client/legs.c client/message_json.c client/refusal.c client/submit.c client/symbol.c client/table.c
# What a new market is founded with; a cluster trace as orders.
GROUPS += FOUNDING IMPORT
FOUNDING = client/tables.c client/desk.c client/found.c
IMPORT = client/import_trace.c client/import_plan.c client/import_offers.c client/import_send.c client/command_import.c
GROUPS += IMPORT_FILES
IMPORT_FILES = tests/import_files.c
TESTS += import import_trace
test_import_USES = IMPORT_FILES IMPORT FOUNDING COMMAND WIRE BASE
test_import_trace_USES = IMPORT_FILES IMPORT FOUNDING COMMAND WIRE BASE
FUZZERS += import
fuzz_import_USES = IMPORT FOUNDING COMMAND WIRE BASE
# The same straight into an engine.
GROUPS += IMPORT_KIT
IMPORT_KIT = tests/import_market.c
TESTS += import_engine
test_import_engine_USES = IMPORT_KIT IMPORT_FILES IMPORT FOUNDING COMMAND CORE WIRE BASE
PROGRAMS += kashi
kashi_MAIN = client/main.c
kashi_USES = IMPORT FOUNDING COMMAND CLIENT WIRE BASE
# The other side of a client.
GROUPS += PEER
PEER = tests/peer.c
TESTS += client client_legs client_sockets client_command
test_client_legs_USES = COMMAND CLIENT WIRE BASE
test_client_USES = COMMAND CLIENT WIRE BASE
test_client_sockets_USES = PEER CLIENT WIRE BASE
test_client_command_USES = PEER WIRE BASE
# What other programs link: libkashi with all that it stands on.
all: $(B)/lib/libkashi.a
$(B)/lib/libkashi.a: $(patsubst %.c,$(B)/%.o,$(CLIENT) $(WIRE) $(BASE))
	@echo "  AR  $@"; mkdir -p $(@D); rm -f $@; ar rcs $@ $^

GROUPS += DEMO CHECKER
DEMO = client/demo_flow.c client/demo_day.c client/demo_samples.c
PROGRAMS += kashi-demo
kashi-demo_MAIN = client/demo.c
kashi-demo_USES = DEMO FOUNDING CLIENT WIRE BASE

# Only tape, database and pricing's arithmetic: nothing else of the market is in the checker.
CHECKER = client/check/recompute.c client/check/parents.c client/check/auctions.c client/check/tally.c client/check/index_check.c client/check/pg.c
PROGRAMS += kashi-check
kashi-check_MAIN = client/check/main.c
kashi-check_USES = CHECKER PRICING WIRE BASE
TESTS += check_parents check_auctions
test_check_auctions_USES = CHECKER WIRE BASE
test_check_parents_USES = CHECKER WIRE BASE

PROGRAMS += kashi-load
kashi-load_MAIN = tests/load.c
kashi-load_USES = DEMO FOUNDING CLIENT WIRE BASE

TESTKIT = tests/sim_disk.c tests/edge.c

BENCHKIT = bench/flow.c bench/instance.c
GROUPS += BENCH_MARKET
BENCH_MARKET = bench/market.c
BENCHES += core scale set
bench_set_USES = BENCH_MARKET CORE WIRE BASE
bench_scale_USES = BENCH_MARKET CORE WIRE BASE
bench_core_USES = BENCHKIT CORE WIRE BASE
BENCHES += import
bench_import_USES = IMPORT_KIT IMPORT FOUNDING COMMAND CORE WIRE BASE
BENCHES += job
bench_job_USES = CORE WIRE BASE
BENCHES += gateway
bench_gateway_USES = BENCHKIT WIRE BASE

# --- rules ----------------------------------------------------------------------------------------
# Sources that must be pure: lint compiles them once more without floating point.
PURE = wire/contract.c wire/reject.c wire/enter.c $(CORE) $(foreach g,$(GROUPS),$(filter gateway/core/% settlement/core/% pricing/core/%,$($(g))))

.PHONY: all run demo test lint bench fuzz clean force
.DELETE_ON_ERROR:
all: $(addprefix $(B)/bin/,$(PROGRAMS)) | bin
# A short way to the release programs.
bin:
	@ln -sfn build/release/bin bin

archives = $(foreach g,$(2),build/$(1)/lib/$(g).a)

# $(1) variant. The flags stand in a file of their own, so that a change of them compiles anew.
define variant_rules
build/$(1)/flags: force
	@mkdir -p build/$(1)
	@echo '$$(CC_$(1)) $$(CFLAGS) $$(OPT_$(1))' | cmp -s - $$@ || echo '$$(CC_$(1)) $$(CFLAGS) $$(OPT_$(1))' >$$@
build/$(1)/%.o: %.c build/$(1)/flags
	@echo "  CC  $$@"; mkdir -p $$(@D); $$(CC_$(1)) $$(CFLAGS) $$(OPT_$(1)) $$(WHOLE) -c $$< -o $$@
endef
# $(1) variant, $(2) group
define group_rules
build/$(1)/lib/$(2).a: $$(patsubst %.c,build/$(1)/%.o,$$($(2))) | build/$(1)/flags
	@mkdir -p $$(@D); rm -f $$@; ar rcs $$@ $$(filter %.o,$$^)
endef
# $(1) variant, $(2) target below the variant's folder, $(3) main source, $(4) groups, $(5) more flags
define link_rules
build/$(1)/$(2): $$(patsubst %.c,build/$(1)/%.o,$(3)) $$(call archives,$(1),$(4))
	@echo "  LD  $$@"; mkdir -p $$(@D); $$(CC_$(1)) $$(OPT_$(1)) -o $$@ $$(filter %.o,$$^) \
		-Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LIBS) $(5)
endef
uses = $(or $($(1)_USES),TESTKIT CORE WIRE BASE)

$(patsubst %.c,build/release/%.o,$(CORE)): WHOLE = $(CORE_release)
$(foreach v,$(VARIANTS),$(eval $(call variant_rules,$(v))))
$(foreach v,$(VARIANTS),$(foreach g,$(GROUPS),$(eval $(call group_rules,$(v),$(g)))))
$(foreach v,$(VARIANTS),$(foreach p,$(PROGRAMS),$(eval $(call link_rules,$(v),bin/$(p),$($(p)_MAIN),$($(p)_USES)))))
$(foreach t,$(TESTS),$(eval $(call link_rules,asan,tests/test_$(t),tests/test_$(t).c,$(call uses,test_$(t)),-lcriterion)))
$(foreach f,$(FUZZERS),$(eval $(call link_rules,fuzz,tests/fuzz_$(f),tests/fuzz_$(f).c,$(call uses,fuzz_$(f)),-fsanitize=fuzzer)))
$(foreach b,$(BENCHES),$(eval $(call link_rules,release,bench/$(b),bench/$(b).c,$(call uses,bench_$(b)))))

# --- what to make ---------------------------------------------------------------------------------
LINT = $(addprefix tests/lint/,format.sh layers.sh libraries.sh purity.sh floats.sh repository.sh)
SUITES = $(addprefix build/asan/tests/test_,$(TESTS))
SCRIPTS = tests/compilers.sh tests/e2e.sh tests/kill.sh tests/cluster.sh
FUZZ_SECONDS ?= 30

# Everything that is compiled for `make test`; tests/lint/compile.sh makes it.
.PHONY: test-objects test-programs
test-programs: $(addprefix build/release/bin/,$(PROGRAMS)) $(SUITES) | bin
test-objects: $(foreach g,$(GROUPS),$(patsubst %.c,build/clang/%.o,$($(g))))

run:
	@./setup.sh run
	@$(MAKE) --no-print-directory all
	@client/market.sh run

demo:
	@./setup.sh run
	@$(MAKE) --no-print-directory all
	@client/demo.sh

test:
	@./setup.sh test
	@tests/run.sh tests/lint/compile.sh $(LINT) $(SUITES) $(SCRIPTS)

lint:
	@./setup.sh test
	@tests/run.sh tests/lint/compile.sh $(LINT)

bench:
	@./setup.sh run
	@$(MAKE) --no-print-directory bench-programs
	@set -e; for b in $(BENCHES); do build/release/bench/$$b; echo; done
.PHONY: bench-programs
bench-programs: $(addprefix build/release/bench/,$(BENCHES)) $(addprefix build/release/bin/,$(PROGRAMS))

fuzz: $(addprefix build/fuzz/tests/fuzz_,$(FUZZERS))
	@set -e; for f in $^; do echo "$$f, $(FUZZ_SECONDS) s"; mkdir -p $$f.corpus; \
		$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=0 -verbosity=0 $$f.corpus; done

# What the lint scripts ask for.
.PHONY: print-pure print-purity-objects
print-pure:
	@echo $(PURE)
print-purity-objects: $(patsubst %.c,build/release/%.o,$(PURE))
	@echo $^

# What tests/compilers.sh makes anew with every compiler.
.PHONY: print-state-hash-sources
print-state-hash-sources:
	@echo $(MODEL) $(CORE) wire/contract.c wire/reject.c base/check.c

clean:
	rm -rf build bin

-include $(shell find build -name '*.d' 2>/dev/null)
